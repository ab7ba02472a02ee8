using System.Globalization;
using Microsoft.Extensions.Logging;
using Serve.Runtime.Execution;
using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Workers.Processes;

/// <summary>
/// Stops the newest task in a worker when memory is short, before the operating system kills an arbitrary process. Its state is
/// written by its timer.
/// </summary>
internal sealed partial class WorkerMemoryMonitor : IAsyncDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(250);

    private readonly WorkerTaskExecutor _tasks;
    private readonly Func<SystemMemoryUsage> _read;
    private readonly Func<long> _giveUp;
    private readonly double _threshold;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private DispatchedTask? _stopping;
    private int _looking;

    /// <param name="tasks">The tasks.</param>
    /// <param name="read">Reads the memory usage.</param>
    /// <param name="giveUp">Releases unused memory and returns its size; called before a task is stopped.</param>
    /// <param name="threshold">Share of memory in use above which a task is stopped.</param>
    /// <param name="logger">Receives a warning for each stopped task.</param>
    /// <param name="time">How often to look.</param>
    public WorkerMemoryMonitor(WorkerTaskExecutor tasks, Func<SystemMemoryUsage> read, Func<long> giveUp, double threshold, ILogger logger, TimeProvider time)
    {
        _tasks = tasks;
        _read = read;
        _giveUp = giveUp;
        _threshold = threshold;
        _logger = logger;
        _timer = time.CreateTimer(_ => CheckMemory(), null, threshold < 1 ? Period : Timeout.InfiniteTimeSpan, Period);
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private void CheckMemory()
    {
        if (Interlocked.Exchange(ref _looking, 1) != 0)
            return;
        try
        {
            // One worker at a time: its memory is free only after its process has exited.
            if (_stopping?.Session is { Lease.Exited.IsCompleted: false })
                return;
            _stopping = null;
            var now = _read();
            if (now.Share >= _threshold && _giveUp() > 0)
                now = _read();
            if (now.Share < _threshold)
                return;
            _stopping = _tasks.StopNewest(run => new TaskOutOfMemoryException(Describe(run, now)));
            if (_stopping is not null)
                LogStopped(_logger, Describe(_stopping, now), _stopping.Attempt.MayRetry ? "It will be retried." : "It has no retries left.");
        }
        finally
        {
            Volatile.Write(ref _looking, 0);
        }
    }

    private string Describe(DispatchedTask run, SystemMemoryUsage now)
    {
        var own = run.Session is { } session ? SystemMemoryReader.ResidentOf(session.Lease.ProcessId) : 0;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{run.Attempt.Name} was stopped: {Size(now.Used)} of {Size(now.Total)} of memory is in use ({now.Share:P1}), above the threshold of {_threshold:P1}. {(own > 0 ? $"Its worker used {Size(own)}. " : "")}Run fewer tasks at once (NumCpus, Memory), use less memory, or raise ClusterOptions.MemoryUsageThreshold.");
    }

    private static string Size(long bytes) => bytes < 1 << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0} MiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 30):0.00} GiB");

    [LoggerMessage(EventId = 2003, Level = LogLevel.Warning, Message = "{Text} {Next}")]
    private static partial void LogStopped(ILogger logger, string text, string next);
}
