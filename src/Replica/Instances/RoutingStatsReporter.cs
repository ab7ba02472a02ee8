using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Routes;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Replica.Instances;

/// <summary>
/// Publishes the statistics that a replica reports for its routing policy: calls the class's <c>ReportRoutingStats</c> in a turn of the replica, periodically. A failure or timeout keeps the
/// previous statistics.
/// </summary>
internal sealed partial class RoutingStatsReporter : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ReplicaComponents _parts;
    private readonly ActorTurnScheduler _turns;
    private readonly ActorStateReport? _report;
    private readonly ILogger _log;
    private byte[] _latest = "null"u8.ToArray();

    private RoutingStatsReporter(ReplicaComponents parts, ActorActivationContext actor, RequestRouterSpec settings, ILogger log)
    {
        (_parts, _turns, _log, Settings) = (parts, actor.Turns, log, settings);
        _report = actor.Services.GetService<ActorReportRegistry>()?.Add(actor.Spec.Id, RoutingStatsReports.Topic, () => Volatile.Read(ref _latest));
        var stop = _stop.Token;
        _ = Task.Run(() => RunAsync(stop), stop);
    }

    /// <summary>Gets or sets period and timeout.</summary>
    public RequestRouterSpec Settings { get; set; }

    /// <summary>Starts reporting.</summary>
    /// <returns>Null if the class has no statistics.</returns>
    public static RoutingStatsReporter? Start(ReplicaComponents parts, ActorActivationContext actor, RequestRouterSpec settings, ILogger log) =>
        parts.Hooks!.ReportsRoutingStats ? new RoutingStatsReporter(parts, actor, settings, log) : null;

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
                await Task.Delay(TimeSpan.FromSeconds(Settings.RequestRoutingStatsPeriodS), _parts.Time, stop).ConfigureAwait(false);
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
            var stats = await _turns.RunAsync(_parts.Hooks!, static hooks => hooks.ReportRoutingStatsAsync(), blocking: false).AsTask()
                .WaitAsync(TimeSpan.FromSeconds(Settings.RequestRoutingStatsTimeoutS), _parts.Time, stop).ConfigureAwait(false);
            var written = JsonSerializer.SerializeToUtf8Bytes(stats, stats?.GetType() ?? typeof(object), _parts.Code!.Json);
            if (written.AsSpan().SequenceEqual(_latest))
                return;
            Volatile.Write(ref _latest, written);
            _report?.NotifyChanged();
        }
        catch (Exception thrown) when (!stop.IsCancellationRequested)
        {
            Log.NotReported(_log, thrown);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5045, Level = LogLevel.Warning, Message = "ReportRoutingStats failed; the previous statistics remain in effect")]
        public static partial void NotReported(ILogger logger, Exception thrown);
    }
}
