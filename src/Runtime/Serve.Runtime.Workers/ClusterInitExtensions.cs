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
        public static Task<Cluster> Init(ClusterOptions? options = null)
        {
            var cluster = new DriverCluster(options ?? new(), ProgramWorkerLauncher.StartWorkers);
            if (cluster.Options.Observable)
                ThreadPool.UnsafeQueueUserWorkItem(static cluster => cluster.Observe(), cluster, preferLocal: false);
            if (cluster.Options.PrestartWorkers is > 0 and var count)
                cluster.Workers.Prestart(count);
            return Task.FromResult<Cluster>(cluster);
        }
    }
}
