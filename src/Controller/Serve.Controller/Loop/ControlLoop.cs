using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Serve.Control;
using Serve.Control.Autoscaling;
using Serve.Control.Canaries;
using Serve.Control.Desired;
using Serve.Control.Observed;
using Serve.Control.Placement;
using Serve.Controller.Applications;
using Serve.Controller.Decisions;
using Serve.Controller.Metrics;
using Serve.Controller.Store;
using Serve.Nodes;
using Serve.Routes;

namespace Serve.Controller.Loop;

/// <summary>
/// The only writer of the desired and the observed state: applies events in order, stores what must survive, decides, and dispatches the actions. Idle until an
/// event arrives or the plan's next wake-up.
/// </summary>
internal sealed partial class ControlLoop : IAsyncDisposable
{
    private const int MaxRounds = 8;
    private static readonly TimeSpan RecoveryTimeout = TimeSpan.FromSeconds(3);

    private readonly Channel<ControlEvent> _events = Channel.CreateBounded<ControlEvent>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly INodeDirectory _nodes;
    private readonly IClusterStore _store;
    private readonly ControllerOptions _options;
    private readonly ControllerMetrics _metrics;
    private readonly ControlDecisionLog _decisions;
    private readonly TimeProvider _time;
    private readonly ILogger<ControlLoop> _logger;
    private readonly ControlActionRunner _runner;
    private readonly NodeEventWatcher _watcher;
    private readonly AutoscalingPolicyRunner _policies;
    private readonly ITimer _timer;
    private DesiredState _desired = DesiredState.Empty;
    private ObservedState _observed = new();
    private ControllerLease? _lease;
    private volatile ControllerStateView _view;
    private NodeStandby _standby = NodeStandby.None;
    private Task _loop = Task.CompletedTask;

    public ControlLoop(
        INodeDirectory nodes, IClusterStore store, ControllerOptions options, ControllerMetrics metrics, ControlDecisionLog decisions, IAutoscalingPolicyLoader? policies,
        TimeProvider time, ILoggerFactory loggers)
    {
        _decisions = decisions;
        _nodes = nodes;
        _store = store;
        _options = options;
        _metrics = metrics;
        _time = time;
        _logger = loggers.CreateLogger<ControlLoop>();
        _runner = new(nodes, options, metrics, time, ReportAsync, loggers.CreateLogger<ControlActionRunner>());
        _policies = new(policies, ReportAsync, metrics, time, loggers.CreateLogger<AutoscalingPolicyRunner>());
        _watcher = new(nodes, EnqueueAsync, time, loggers.CreateLogger<NodeEventWatcher>());
        _timer = time.CreateTimer(_ => _events.Writer.TryWrite(ControlEvent.Tick.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _view = CreateView();
    }

    /// <summary>The newest state. Thread-safe.</summary>
    public ControllerStateView View => _view;

    /// <summary>Raised on the loop after <see cref="View"/> was replaced. Handlers must return quickly and not throw.</summary>
    public event Action<ControllerStateView>? Changed;

    /// <summary>Acquires the controller's lease, loads the stored state and starts the loop.</summary>
    /// <exception cref="StateStoreException">The store cannot be read, or another controller holds the lease.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        _lease = await _store.TryAcquireLeaseAsync(_options.NodeId, Timeout.InfiniteTimeSpan, cancellationToken)
            ?? throw new StateStoreException("The controller's lease is held by another node.");
        var applications = await _store.LoadAsync(cancellationToken);
        _desired = new() { Applications = applications.ToImmutableSortedDictionary(application => application.Name, application => application, StringComparer.Ordinal) };
        _observed = _observed with { Epoch = _lease.Epoch };
        if (_desired.Applications.Count > 0)
            Log.Restored(_logger, string.Join(", ", _desired.Applications.Keys));

        // Before the first decision: what runs is adopted, and no routes are published that lack it.
        await RecoverAsync(cancellationToken);
        _view = CreateView();
        _events.Writer.TryWrite(ControlEvent.Tick.Instance);
        _loop = Task.Run(RunAsync, CancellationToken.None);
        _watcher.Start();
    }

    /// <summary>Requests a change.</summary>
    /// <returns>Whether it changed anything; completes once the change is stored and decided on.</returns>
    public async Task<bool> RequestAsync(ControlEvent.ChangeRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await _events.Writer.WriteAsync(request, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw NodeConflictException.ShuttingDown();
        }

        return await request.Answer.WaitAsync(cancellationToken);
    }

    /// <summary>Reports an observation. Has no effect after the loop has ended.</summary>
    public ValueTask ReportAsync(ControlObservation observation) => EnqueueAsync(new ControlEvent.ObservationReceived(observation));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _timer.DisposeAsync();
        await _watcher.DisposeAsync();
        _events.Writer.TryComplete();
        await _loop;
        await _runner.DisposeAsync();
        if (_lease is { } lease)
            await _store.ReleaseLeaseAsync(lease, CancellationToken.None);
    }

    // A node that does not answer in time is read when the watcher reaches it.
    private async Task RecoverAsync(CancellationToken cancellationToken)
    {
        var (agents, now) = (_nodes.Current.Agents, _time.GetUtcNow());
        _observed = _observed.WithNodes(NodeViewProjection.Of(_nodes.Current), now);
        using var limit = new CancellationTokenSource(RecoveryTimeout, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        foreach (var reading in agents.Select(agent => ReplicaRegisterReader.ReadAsync(agent, now, either.Token)).ToArray())
        {
            try
            {
                var found = await reading.WaitAsync(either.Token);
                _observed = _observed.Apply(new ControlObservation.ReplicasFound(found), now);
                if (found.Count > 0)
                    Log.Recovered(_logger, found.Count, found[0].Node);
            }
            catch (Exception failed) when (failed is IOException or ServeException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                Log.NotRecovered(_logger, failed);
            }
        }
    }

    private async ValueTask EnqueueAsync(ControlEvent happened)
    {
        try
        {
            await _events.Writer.WriteAsync(happened);
        }
        catch (ChannelClosedException)
        {
            // The controller has stopped; the agents stop the remaining replicas.
        }
    }

    private async Task RunAsync()
    {
        List<(ControlEvent.ChangeRequest Request, bool Changed)> stored = [];
        while (await _events.Reader.WaitToReadAsync())
        {
            // One decision for all pending events.
            while (_events.Reader.TryRead(out var happened))
            {
                switch (happened)
                {
                    case ControlEvent.ObservationReceived received:
                        _observed = _observed.Apply(received.Observation, _time.GetUtcNow());
                        break;
                    case ControlEvent.ChangeRequest request when await TryApplyAsync(request) is { } changed:
                        stored.Add((request, changed));
                        break;
                }
            }

            try
            {
                await DecideAsync();
            }
            catch (Exception error)
            {
                // A decision that throws is a defect. The state stays as it is, and the next event tries again.
                Log.DecisionFailed(_logger, error);
                _timer.Change(ReconciliationIntervals.RecheckInterval, Timeout.InfiniteTimeSpan);
            }

            foreach (var (request, changed) in stored)
                request.Succeed(changed);
            stored.Clear();
        }
    }

    // Stored before anything is done about it: after a crash the node must know all accepted changes. Null if the request failed.
    private async Task<bool?> TryApplyAsync(ControlEvent.ChangeRequest request)
    {
        try
        {
            var now = _time.GetUtcNow();
            var next = DesiredStateUpdater.Apply(_desired, request, _options.DefaultIsolation, now);
            var saved = next.Applications.Values
                .Where(application => !ReferenceEquals(application, _desired.Applications.GetValueOrDefault(application.Name))).ToList();
            if (saved.Count > 0)
                await _store.SaveAsync(_observed.Epoch, saved, [], CancellationToken.None);
            foreach (var application in saved)
            {
                var change = application.IsDeleting ? "Delete" : application.Change.ToString();
                Log.DesiredStateChanged(_logger, application.Name, application.Requested.Number, change);
                _decisions.Add("change_desired_state", application.Name, null, $"requested: {change}", $"revision {application.Requested.Number}");
            }

            ReportCanaries(saved, now);
            var changed = saved.Count > 0 || next.IsStopping != _desired.IsStopping;
            _desired = next;
            if (request is ControlEvent.DeployApplications deploy)
            {
                foreach (var application in deploy.Applications)
                    _observed = _observed.WithoutStartFailures(application.Config.Name).WithoutStartFailures(CanaryName.Of(application.Config.Name));
            }

            if (request is ControlEvent.RollBackApplication rollback)
                _observed = _observed.WithoutStartFailures(rollback.Application);
            return changed;
        }
        catch (Exception error)
        {
            request.Fail(error);
            return null;
        }
    }

    private async Task DecideAsync()
    {
        ReconciliationPlan plan;
        var rounds = 0;
        HashSet<string> scaled = [];
        DateTimeOffset? nextScaling;
        do
        {
            var now = _time.GetUtcNow();
            _observed = _observed.WithNodes(NodeViewProjection.Of(_nodes.Current), now);
            var nextCanary = await AdvanceCanariesAsync(now);
            nextScaling = Autoscale(now, scaled);
            nextScaling = nextCanary < nextScaling || nextScaling is null ? nextCanary : nextScaling;
            plan = Reconciler.Decide(_desired, _observed, now);
            foreach (var action in plan.Actions)
            {
                _observed = _observed.WithDispatched(action, now);
                _decisions.Add(action);
                if (!await TryConcludeAsync(action))
                    _runner.Run(action);
            }

            _metrics.CountDecision();
        }
        while (plan.Actions.Any(action => action is ControlAction.PromoteApplicationRevision or ControlAction.RemoveApplication) && ++rounds < MaxRounds);

        var nextPolicy = _policies.RunDue(_desired, _observed, _time.GetUtcNow());
        nextScaling = nextPolicy < nextScaling || nextScaling is null ? nextPolicy : nextScaling;
        var next = nextScaling is null || plan.NextWakeUp < nextScaling ? plan.NextWakeUp : nextScaling;
        var delay = next is { } wakeUp ? wakeUp - _time.GetUtcNow() : Timeout.InfiniteTimeSpan;
        _timer.Change(delay < TimeSpan.Zero && next is not null ? TimeSpan.Zero : delay, Timeout.InfiniteTimeSpan);
        _view = new(_desired, _observed, plan);
        _metrics.Update(_view);
        KeepReady();
        Changed?.Invoke(_view);

        // After the actions: a request may wait for them, and a lost target is decided again.
        foreach (var name in scaled)
        {
            if (_desired.Applications.TryGetValue(name, out var application))
                await PersistAsync(application, name);
        }
    }

    private void KeepReady()
    {
        var (workers, packages) = StandbyPlanner.Plan(_desired, _options.SpareWorkers);
        if (workers == _standby.SpareWorkers && packages.SequenceEqual(_standby.Packages, StringComparer.Ordinal))
            return;
        _standby = new(workers, packages, _options.MaxCachedBytes);
        foreach (var agent in _nodes.Current.Agents)
            agent.KeepReady(_standby);
    }

    private async Task<DateTimeOffset?> AdvanceCanariesAsync(DateTimeOffset now)
    {
        var before = _desired;
        (_desired, _observed, var next) = CanaryController.Decide(_desired, _observed, now);
        var changed = _desired.Applications.Values.Where(application => !ReferenceEquals(application, before.Applications.GetValueOrDefault(application.Name))).ToList();
        ReportCanaries(changed, now);

        // Together: a promotion changes both revisions.
        if (changed.Count > 0)
            await SaveAsync(changed, []);
        return next;
    }

    private void ReportCanaries(IEnumerable<DesiredApplication> changed, DateTimeOffset now)
    {
        foreach (var application in changed)
        {
            if (application.Canary is not { Decisions: [.., var decision] } state || decision.At != now)
                continue;
            var kind = application.IsDeleting ? "end" : state.IsPromoting ? "promote" : "share";
            _metrics.CountCanaryDecision(CanaryName.ApplicationOf(application.Name)!, kind);
            _decisions.Add($"canary_{kind}", CanaryName.ApplicationOf(application.Name), null, decision.Reason, $"from {decision.From} to {decision.To} percent, revision {application.Requested.Number}");
            Log.CanaryChanged(_logger, application.Name, application.Requested.Number, decision.From, decision.To, decision.Reason);
        }
    }

    private DateTimeOffset? Autoscale(DateTimeOffset now, HashSet<string> scaled)
    {
        var before = _desired;
        (_desired, _observed, var next) = Autoscaler.Decide(_desired, _observed, now);
        foreach (var application in _desired.Applications.Values.Where(application => !ReferenceEquals(application, before.Applications.GetValueOrDefault(application.Name))))
        {
            scaled.Add(application.Name);
            foreach (var (id, state) in _observed.Autoscaling.Where(pair => pair.Key.Application == application.Name))
            {
                if (state.Decisions is not [.., var decision] || decision.At != now)
                    continue;
                Log.Scaled(_logger, id, decision.From, decision.To, decision.Reason);
                _decisions.Add("scale", id.Application, id.Name, decision.Reason, $"from {decision.From} to {decision.To} replicas");
            }
        }

        return next;
    }

    // Actions that change the desired state are carried out here; all others by the runner.
    private async Task<bool> TryConcludeAsync(ControlAction action)
    {
        switch (action)
        {
            case ControlAction.PromoteApplicationRevision promote:
                if (!_desired.Applications.TryGetValue(promote.Application, out var application))
                    return true;
                Log.Promoted(_logger, promote.Application, application.Requested.Number);
                if (!application.IsPromoted)
                    await PersistAsync(application.Promoted(), promote.Application);
                return true;
            case ControlAction.RemoveApplication remove:
                Log.Removed(_logger, remove.Application);
                await PersistAsync(null, remove.Application);
                return true;
            default:
                return false;
        }
    }

    private Task PersistAsync(DesiredApplication? application, string name)
    {
        _desired = application is null ? _desired.Without(name) : _desired.With(application);
        return SaveAsync(application is null ? [] : [application], application is null ? [name] : []);
    }

    private async Task SaveAsync(IReadOnlyCollection<DesiredApplication> saved, IReadOnlyCollection<string> removed)
    {
        try
        {
            await _store.SaveAsync(_observed.Epoch, saved, removed, CancellationToken.None);
        }
        catch (StateStoreException error)
        {
            // The controller continues with the state in memory. A restart would find the older checkpoint and reach the same state again.
            Log.NotStored(_logger, string.Join(", ", saved.Select(application => application.Name).Concat(removed)), error);
        }
    }

    private ControllerStateView CreateView()
    {
        _observed = _observed.WithNodes(NodeViewProjection.Of(_nodes.Current), _time.GetUtcNow());
        return new(_desired, _observed, Reconciler.Decide(_desired, _observed, _time.GetUtcNow()));
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Information, "Applications restored from the state directory: {Applications}")]
        public static partial void Restored(ILogger logger, string applications);

        [LoggerMessage(3002, LogLevel.Information, "Desired state changed: application {Application}, revision {Revision} ({Change})")]
        public static partial void DesiredStateChanged(ILogger logger, string application, long revision, string change);

        [LoggerMessage(3003, LogLevel.Information, "Application {Application} is running revision {Revision}")]
        public static partial void Promoted(ILogger logger, string application, long revision);

        [LoggerMessage(3004, LogLevel.Information, "Application {Application} was removed")]
        public static partial void Removed(ILogger logger, string application);

        [LoggerMessage(3005, LogLevel.Error, "Application {Application} could not be stored")]
        public static partial void NotStored(ILogger logger, string application, Exception error);

        [LoggerMessage(3007, LogLevel.Information, "{Count} replicas of an earlier controller run on node {Node}")]
        public static partial void Recovered(ILogger logger, int count, NodeId node);

        [LoggerMessage(3008, LogLevel.Warning, "The register of a node could not be read; its replicas are adopted when it can")]
        public static partial void NotRecovered(ILogger logger, Exception error);

        [LoggerMessage(3009, LogLevel.Information, "Deployment {Deployment} scales from {From} to {To} replicas: {Reason}")]
        public static partial void Scaled(ILogger logger, DeploymentId deployment, int from, int to, string reason);

        [LoggerMessage(3028, LogLevel.Information, "Canary {Application}, revision {Revision}: {From} % -> {To} % of the requests; {Reason}")]
        public static partial void CanaryChanged(ILogger logger, string application, long revision, double from, double to, string reason);

        [LoggerMessage(3006, LogLevel.Critical, "Reconciliation failed; no actions were taken")]
        public static partial void DecisionFailed(ILogger logger, Exception error);
    }
}
