using System.ComponentModel;
using System.Diagnostics;

namespace Serve.Stress;

/// <summary>Kills a worker now and then, as the kernel would when memory runs out.</summary>
internal sealed class Killer(Cluster ray, int seed)
{
    private readonly Random random = new(seed);

    /// <summary>How many it has killed.</summary>
    public int Kills { get; private set; }

    public async Task RunAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await Task.Delay(random.Next(300, 2000), stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var workers = ray.ListWorkers();
            if (stop.IsCancellationRequested || workers.Count == 0)
                continue;
            try
            {
                using var worker = Process.GetProcessById(workers[random.Next(workers.Count)].Pid);
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
