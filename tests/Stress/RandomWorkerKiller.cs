using System.ComponentModel;
using System.Diagnostics;

namespace Serve.Stress;

/// <summary>Kills random workers, like the kernel's out-of-memory killer. Waits for progress between two kills, because a slow machine would otherwise only start workers.</summary>
internal sealed class RandomWorkerKiller(Cluster ray, Func<int> ended, int seed)
{
    private const int LeastProgress = 20;
    private readonly Random _random = new(seed);

    /// <summary>Number of killed workers.</summary>
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
                // The worker has exited in the meantime.
            }
        }
    }
}
