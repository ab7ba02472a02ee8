using System.Runtime.CompilerServices;
using Serve.Hosting;

namespace Serve.Workflows;

/// <summary>Workflows of a cluster.</summary>
public static class ClusterWorkflowExtensions
{
    private static readonly TimeSpan RetryInterval = TimeSpan.FromMilliseconds(100);
    private static readonly ConditionalWeakTable<Cluster, WorkflowHost> Hosts = [];

    extension(Cluster cluster)
    {
        /// <summary>Gets the workflow host of this cluster.</summary>
        /// <exception cref="InvalidOperationException"><see cref="StartWorkflows"/> has not been called in this process.</exception>
        public WorkflowHost Workflows => Hosts.TryGetValue(cluster, out var host)
            ? host
            : throw new InvalidOperationException("This cluster has no workflow host in this process. Call cluster.StartWorkflows(…) first.");

        /// <summary>Starts a workflow host on this cluster: opens the store and resumes all open workflows. Dispose the host before the cluster.</summary>
        /// <param name="options">Options; null for the defaults.</param>
        /// <returns>The host.</returns>
        /// <exception cref="WorkflowStorageInUseException">Another host still used the SQLite file after <see cref="WorkflowOptions.StorageWait"/>.</exception>
        /// <exception cref="WorkflowStorageException">The store cannot be used; the message contains the reason and the remedy.</exception>
        public async Task<WorkflowHost> StartWorkflows(WorkflowOptions? options = null)
        {
            ArgumentNullException.ThrowIfNull(cluster);
            options ??= new();
            var host = await CreateAsync(cluster, options).ConfigureAwait(false);
            Hosts.AddOrUpdate(cluster, host);
            host.Start();
            return host;
        }
    }

    private static async Task<WorkflowHost> CreateAsync(Cluster cluster, WorkflowOptions options)
    {
        var started = options.TimeProvider.GetTimestamp();
        while (true)
        {
            cluster.ThrowIfDisposed();
            try
            {
                return await Task.Run(() => new WorkflowHost(cluster, options)).ConfigureAwait(false);
            }
            catch (WorkflowStorageInUseException) when (options.StorageWait == Timeout.InfiniteTimeSpan || options.TimeProvider.GetElapsedTime(started) < options.StorageWait)
            {
                await Task.Delay(RetryInterval, options.TimeProvider).ConfigureAwait(false);
            }
        }
    }
}
