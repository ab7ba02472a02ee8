using System.Text.Json;
using Serve.Nodes;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Replica.Routes;

/// <summary>Reports the requests to applications with two revisions, as this process counts them: every <see cref="Interval"/> while there is such an application, if they have changed.</summary>
public sealed class RevisionRequestReporter : ITopicSubscriber, IDisposable
{
    /// <summary>Time between two samples.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly Lock _sync = new();
    private readonly RouteTable _table;
    private readonly ActorReportRegistry _reports;
    private readonly string _processId;
    private readonly ITimer _timer;
    private Dictionary<string, RevisionRequestReport> _counts = [];
    private ActorStateReport? _report;
    private bool _isSampling;

    /// <summary>Creates the reporter of this process.</summary>
    public RevisionRequestReporter(RouteTable table, ActorReportRegistry reports, IActorReferenceResolver references, TimeProvider time)
    {
        _table = table;
        _reports = reports;
        _processId = references.ProcessId;
        _timer = time.CreateTimer(_ => Sample(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <inheritdoc/>
    public string Topic => RouteSnapshot.Topic;

    /// <inheritdoc/>
    public ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        Sample();
        return ValueTask.CompletedTask;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer.Dispose();
        _report?.Dispose();
    }

    /// <summary>Reads the counts, and reports them if they have changed.</summary>
    public void Sample()
    {
        lock (_sync)
        {
            var counts = _table.Current.WithCanary.ToDictionary(entry => entry.Route.Application, entry => entry.Canary!.Meter.Read(entry.Canary.Route.Revision));
            if (_isSampling != (counts.Count > 0))
            {
                _isSampling = counts.Count > 0;
                _timer.Change(_isSampling ? Interval : Timeout.InfiniteTimeSpan, _isSampling ? Interval : Timeout.InfiniteTimeSpan);
            }

            if (counts.Count == _counts.Count && counts.All(pair => _counts.TryGetValue(pair.Key, out var known) && AreEqual(pair.Value, known)))
                return;
            _counts = counts;
            _report ??= _reports.Add(new ActorId($"process:{_processId}"), RevisionRequestReport.Topic, Write);
        }

        _report.NotifyChanged();
    }

    private static bool AreEqual(RevisionRequestReport one, RevisionRequestReport other) =>
        one.Revision == other.Revision && one.Stable.Requests == other.Stable.Requests && one.Canary.Requests == other.Canary.Requests && one.Shadow.Requests == other.Shadow.Requests;

    private ReadOnlyMemory<byte> Write()
    {
        lock (_sync)
            return JsonSerializer.SerializeToUtf8Bytes(_counts, ServeJson.Options);
    }
}
