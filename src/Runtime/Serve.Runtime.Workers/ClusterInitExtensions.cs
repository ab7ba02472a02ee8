using Serve.Runtime.Clusters;
using Serve.Runtime.Workers.Processes;

namespace Serve;

/// <summary>Starts clusters.</summary>
public static class ClusterInitExtensions
{
    extension(Cluster)
    {
        /// <summary>Starts a cluster in this process. Worker processes are started when first needed.</summary>
        /// <param name="options">Resources and behavior. Default: the resources of this machine, and threads of this process.</param>
        /// <returns>The cluster; disposing it stops everything that it started.</returns>
        /// <exception cref="InvalidOperationException">A dashboard was requested, but its package is missing.</exception>
        /// <exception cref="IOException">The port of the dashboard is in use.</exception>
        public static Task<Cluster> Init(ClusterOptions? options = null)
        {
            var cluster = new DriverCluster(options ?? new(), ProgramWorkerLauncher.StartWorkers);
            if (cluster.Options.Observable)
                ThreadPool.UnsafeQueueUserWorkItem(static cluster => cluster.Observe(), cluster, preferLocal: false);
            if (cluster.Options.PrestartWorkers is > 0 and var count)
                cluster.Workers.Prestart(count);
            return cluster.Options.Dashboard ? WithDashboardAsync(cluster) : Task.FromResult<Cluster>(cluster);
        }
    }

    // The package references this one, so it is found by its name.
    private static async Task<Cluster> WithDashboardAsync(DriverCluster cluster)
    {
        try
        {
            var start = Type.GetType("Serve.Dashboard.Programs.ProgramDashboard, Serve.Dashboard.Programs")?.GetMethod("StartAsync")?.CreateDelegate<Func<DriverCluster, Task<IClusterDashboard>>>()
                ?? throw new InvalidOperationException("ClusterOptions.Dashboard requires the package Serve.Dashboard.Programs. Add it to the program.");
            cluster.Attach(await start(cluster).ConfigureAwait(false));
            Console.Error.WriteLine($"dashboard  {cluster.DashboardUrl}");
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
