using System.ComponentModel;
using System.Diagnostics;

namespace Serve.Stress;

/// <summary>Kills a worker now and then, as the kernel would when memory runs out; not before something has ended since the last kill, or a slow machine would do nothing but start workers.</summary>
internal sealed class RandomWorkerKiller(Cluster ray, Func<int> ended, int seed)
{
    private const int LeastProgress = 20;
    private readonly Random _random = new(seed);

    /// <summary>How many it has killed.</summary>
    public int Kills { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var before = ended();
            await Task.Delay(_random.Next(500, 3000), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var workers = ray.ListWorkers();
            if (stop.IsCancellationRequested || workers.Count == 0 || ended() < before + LeastProgress)
                continue;
            try
            {
                using var worker = Process.GetProcessById(workers[_random.Next(workers.Count)].Pid);
                worker.Kill();
                Kills++;
            }
            catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or Win32Exception)
            {
                // It ended by itself in between.
            }
        }
    }
}
