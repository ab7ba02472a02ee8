using System.Globalization;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Workers;

namespace Serve.Runtime.Sessions;

/// <summary>
/// Stops the newest task in a worker when memory runs out, before the system's own killer picks a process that may be anybody's. Its state is
/// written by its timer.
/// </summary>
internal sealed partial class MemoryMonitor : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly TaskWorkers tasks;
    private readonly Func<MemoryReading> read;
    private readonly Func<long> giveUp;
    private readonly double threshold;
    private readonly ILogger logger;
    private readonly ITimer timer;
    private SentRun? stopping;
    private int looking;

    /// <param name="tasks">Has the tasks.</param>
    /// <param name="read">How much memory is in use.</param>
    /// <param name="giveUp">Gives back memory that nothing is in, and says how much that was: before anything is stopped.</param>
    /// <param name="threshold">The share in use from which on something is stopped.</param>
    /// <param name="logger">Told what was stopped.</param>
    /// <param name="time">How often to look.</param>
    public MemoryMonitor(TaskWorkers tasks, Func<MemoryReading> read, Func<long> giveUp, double threshold, ILogger logger, TimeProvider time)
    {
        this.tasks = tasks;
        this.read = read;
        this.giveUp = giveUp;
        this.threshold = threshold;
        this.logger = logger;
        timer = time.CreateTimer(_ => Look(), null, threshold < 1 ? Period : Timeout.InfiniteTimeSpan, Period);
    }

    public ValueTask DisposeAsync() => timer.DisposeAsync();

    private void Look()
    {
        if (Interlocked.Exchange(ref looking, 1) != 0)
            return;
        try
        {
            // One at a time: what it held is only free when its process is gone.
            if (stopping?.Session?.Worker.EndedBecause is null && stopping is not null)
                return;
            stopping = null;
            var now = read();
            if (now.Share >= threshold && giveUp() > 0)
                now = read();
            if (now.Share < threshold)
                return;
            stopping = tasks.StopNewest(run => new TaskOutOfMemoryException(Describe(run, now)));
            if (stopping is not null)
                LogStopped(logger, Describe(stopping, now), stopping.Attempt.MayRetry ? "It will be run again." : "It may not be run again.");
        }
        finally
        {
            Volatile.Write(ref looking, 0);
        }
    }

    private string Describe(SentRun run, MemoryReading now)
    {
        var own = run.Session is { } session ? ProcessMemory.ResidentOf(session.Worker.Process!.Pid) : 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Attempt.Name} was stopped: {Gigabytes(now.Used)} of {Gigabytes(now.Total)} of memory are in use ({now.Share:P1}), above the threshold of {threshold:P1}. Its worker had {Gigabytes(own)}. Run fewer at once (NumCpus, Memory), use less, or raise ClusterOptions.MemoryUsageThreshold.");
    }

    private static string Gigabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.00} GiB");

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Text} {Next}")]
    private static partial void LogStopped(ILogger logger, string text, string next);
}
