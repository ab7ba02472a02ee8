using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Tasks;

/// <summary>
/// Watches the code of a canceled task, which keeps its CPU while it runs: reports it if it ignores its cancellation token, and kills its worker after the grace period. Its timer is written by
/// the constructor and by the timer's own callbacks.
/// </summary>
internal sealed partial class CanceledCodeWatch
{
    private static readonly TimeSpan LongestWarningDelay = TimeSpan.FromSeconds(5);
    private readonly TaskExecution _task;
    private readonly int _attempt;
    private readonly TaskDispatcher _dispatcher;
    private readonly TimeSpan _warningDelay;
    private readonly ITimer _timer;
    private bool _isReported;

    private CanceledCodeWatch(TaskExecution task, TaskDispatcher dispatcher)
    {
        (_task, _attempt, _dispatcher) = (task, task.Attempt, dispatcher);
        var grace = dispatcher.CancellationGracePeriod;
        _warningDelay = grace >= TimeSpan.Zero && grace / 2 < LongestWarningDelay ? grace / 2 : LongestWarningDelay;
        _timer = dispatcher.Time.CreateTimer(static watch => ((CanceledCodeWatch)watch!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(_warningDelay, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Starts watching the running attempt of a task that has been canceled.</summary>
    public static void Start(TaskExecution task, TaskDispatcher dispatcher) => _ = new CanceledCodeWatch(task, dispatcher);

    private void OnTimer()
    {
        if (_dispatcher.IsDisposed || !_task.IsRunningAttempt(_attempt))
        {
            _timer.Dispose();
            return;
        }

        var grace = _dispatcher.CancellationGracePeriod;
        var isKillable = _task.Executor is not null && grace >= TimeSpan.Zero;
        if (!_isReported)
        {
            _isReported = true;
            Log.StillRuns(_dispatcher.Logger, _task.Label, DurationTextFormat.Of(_warningDelay), isKillable
                ? $"Its worker is killed in {DurationTextFormat.Of(grace - _warningDelay)}"
                : "It cannot be stopped from outside");
            if (isKillable)
                _timer.Change(grace - _warningDelay, Timeout.InfiniteTimeSpan);
            else
                _timer.Dispose();
            return;
        }

        _timer.Dispose();
        Log.Killed(_dispatcher.Logger, _task.Label, DurationTextFormat.Of(grace));
        _task.Executor?.Kill(_task);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1010, Level = LogLevel.Warning, Message = "{Task} was canceled {Duration} ago, but its code still runs and keeps its CPU: it does not check its cancellation token. {Consequence}")]
        public static partial void StillRuns(ILogger logger, string task, string duration, string consequence);

        [LoggerMessage(EventId = 1011, Level = LogLevel.Warning, Message = "{Task} ignored its cancellation for {Duration}; its worker is killed")]
        public static partial void Killed(ILogger logger, string task, string duration);
    }
}
