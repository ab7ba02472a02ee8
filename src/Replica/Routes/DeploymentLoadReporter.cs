using System.Collections.Immutable;
using System.Text.Json;
using Serve.Nodes;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;

namespace Serve.Replica.Routes;

/// <summary>
/// Reports the load of the deployments that follow it, as the routers of this process count it. Samples their counters, so that a request costs nothing: every
/// <see cref="Interval"/> while a route requires it, and reports the changes.
/// </summary>
public sealed class DeploymentLoadReporter : ITopicSubscriber, IDisposable
{
    /// <summary>Time between two samples.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _sync = new();
    private readonly RouteTable _table;
    private readonly ActorReportRegistry _reports;
    private readonly string _processId;
    private readonly ITimer _timer;
    private readonly Dictionary<DeploymentId, long> _admitted = [];
    private Dictionary<DeploymentId, DeploymentLoadReport> _loads = [];
    private ActorStateReport? _report;
    private bool _isSampling;

    /// <summary>Creates the reporter of this process.</summary>
    public DeploymentLoadReporter(RouteTable table, ActorReportRegistry reports, IActorReferenceResolver references, TimeProvider time)
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

    /// <summary>Reads the counters of all routers, and reports them if one has changed.</summary>
    public void Sample()
    {
        lock (_sync)
        {
            var loads = new Dictionary<DeploymentId, DeploymentLoadReport>();
            foreach (var router in _table.Current.WithReportedLoad)
                loads[router.Id] = Read(router);
            if (_isSampling != (loads.Count > 0))
            {
                _isSampling = loads.Count > 0;
                _timer.Change(_isSampling ? Interval : Timeout.InfiniteTimeSpan, _isSampling ? Interval : Timeout.InfiniteTimeSpan);
            }

            if (AreEqual(loads, _loads))
                return;
            _loads = loads;
            _report ??= _reports.Add(new ActorId($"process:{_processId}"), DeploymentLoadReport.Topic, Write);
        }

        _report.NotifyChanged();
    }

    private DeploymentLoadReport Read(DeploymentRouter router)
    {
        var admitted = router.Admitted;
        var isActive = _admitted.TryGetValue(router.Id, out var before) && before != admitted;
        _admitted[router.Id] = admitted;
        var ongoing = ImmutableSortedDictionary.CreateBuilder<string, int>(StringComparer.Ordinal);
        foreach (var slot in router.Replicas)
        {
            if (slot.Ongoing is > 0 and var count)
                ongoing[slot.Route.ReplicaId] = count;
        }

        return new() { Queued = router.Queued, Ongoing = ongoing.ToImmutable(), IsActive = isActive };
    }

    private static bool AreEqual(Dictionary<DeploymentId, DeploymentLoadReport> loads, Dictionary<DeploymentId, DeploymentLoadReport> others) =>
        loads.Count == others.Count && loads.All(pair => others.TryGetValue(pair.Key, out var other)
            && pair.Value.Queued == other.Queued && pair.Value.IsActive == other.IsActive && pair.Value.Ongoing.SequenceEqual(other.Ongoing));

    private ReadOnlyMemory<byte> Write()
    {
        lock (_sync)
            return JsonSerializer.SerializeToUtf8Bytes(_loads.ToDictionary(pair => pair.Key.ToString(), pair => pair.Value), ServeJson.Options);
    }
}
