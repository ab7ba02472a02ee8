using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Routes;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Replica.Instances;

/// <summary>
/// Publishes the statistics that a replica reports for its routing policy or for autoscaling: calls the class's <c>ReportRoutingStats</c> or <c>ReportAutoscalingStats</c> in a turn of the replica,
/// periodically. A failure or timeout keeps the previous statistics.
/// </summary>
internal sealed partial class ReplicaStatsReporter : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ReplicaComponents _parts;
    private readonly ActorTurnScheduler _turns;
    private readonly MethodInfo _hook;
    private readonly ActorStateReport? _report;
    private readonly ILogger _log;
    private byte[] _latest = "null"u8.ToArray();

    private ReplicaStatsReporter(ReplicaComponents parts, ActorActivationContext actor, MethodInfo hook, string topic, (TimeSpan Period, TimeSpan Timeout) times, ILogger log)
    {
        (_parts, _turns, _hook, _log, Times) = (parts, actor.Turns, hook, log, times);
        _report = actor.Services.GetService<ActorReportRegistry>()?.Add(actor.Spec.Id, topic, () => Volatile.Read(ref _latest));
        var stop = _stop.Token;
        _ = Task.Run(() => RunAsync(stop), stop);
    }

    /// <summary>Gets or sets period and timeout.</summary>
    public (TimeSpan Period, TimeSpan Timeout) Times { get; set; }

    /// <summary>Starts reporting for the routing policy.</summary>
    /// <returns>Null if the class has no such statistics.</returns>
    public static ReplicaStatsReporter? StartRouting(ReplicaComponents parts, ActorActivationContext actor, RequestRouterSpec settings, ILogger log) =>
        parts.Hooks!.Methods.ReportRoutingStats is { } hook ? new(parts, actor, hook, RoutingStatsReports.Topic, TimesOf(settings), log) : null;

    /// <summary>Starts reporting for autoscaling.</summary>
    /// <returns>Null if the class has no such statistics, or the number of replicas does not follow the load.</returns>
    public static ReplicaStatsReporter? StartAutoscaling(ReplicaComponents parts, ActorActivationContext actor, AutoscalingSpec? settings, ILogger log) =>
        parts.Hooks!.Methods.ReportAutoscalingStats is { } hook && settings is not null ? new(parts, actor, hook, AutoscalingStatsReports.Topic, TimesOf(settings), log) : null;

    /// <summary>Returns period and timeout of statistics for the routing policy.</summary>
    public static (TimeSpan Period, TimeSpan Timeout) TimesOf(RequestRouterSpec settings) =>
        (TimeSpan.FromSeconds(settings.RequestRoutingStatsPeriodS), TimeSpan.FromSeconds(settings.RequestRoutingStatsTimeoutS));

    /// <summary>Returns period and timeout of statistics for autoscaling; the timeout is Ray Serve's.</summary>
    public static (TimeSpan Period, TimeSpan Timeout) TimesOf(AutoscalingSpec settings) => (TimeSpan.FromSeconds(settings.MetricsIntervalS), TimeSpan.FromSeconds(10));

    /// <inheritdoc/>
    public void Dispose()
    {
        _stop.Cancel();
        _report?.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (true)
            {
                await ReportAsync(stop).ConfigureAwait(false);
                await Task.Delay(Times.Period, _parts.Time, stop).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
            // The replica stops.
        }
    }

    private async Task ReportAsync(CancellationToken stop)
    {
        try
        {
            var stats = await _turns.RunAsync(this, static reporter => reporter._parts.Hooks!.ReportStatsAsync(reporter._hook), blocking: false).AsTask()
                .WaitAsync(Times.Timeout, _parts.Time, stop).ConfigureAwait(false);
            var written = JsonSerializer.SerializeToUtf8Bytes(stats, stats?.GetType() ?? typeof(object), _parts.Code!.Json);
            if (written.AsSpan().SequenceEqual(_latest))
                return;
            Volatile.Write(ref _latest, written);
            _report?.NotifyChanged();
        }
        catch (Exception thrown) when (!stop.IsCancellationRequested)
        {
            Log.NotReported(_log, _hook.Name, thrown);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5045, Level = LogLevel.Warning, Message = "{Hook} failed; the previous statistics remain in effect")]
        public static partial void NotReported(ILogger logger, string hook, Exception thrown);
    }
}
