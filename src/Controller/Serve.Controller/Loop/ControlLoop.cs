using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Serve.Control;
using Serve.Nodes;

namespace Serve.Controller;

/// <summary>
/// The one writer of the desired and the observed state: takes events in order, folds them in, stores what must survive, decides, and has
/// the decision carried out. It sleeps until something happens or the plan says it is time.
/// </summary>
internal sealed partial class ControlLoop : IAsyncDisposable
{
    private readonly Channel<ControlEvent> _events = Channel.CreateBounded<ControlEvent>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly INodeAgent _runtime;
    private readonly IClusterStore _store;
    private readonly ControllerOptions _options;
    private readonly ControllerMetrics _metrics;
    private readonly TimeProvider _time;
    private readonly ILogger<ControlLoop> _logger;
    private readonly ControlActionRunner _runner;
    private readonly ITimer _timer;
    private readonly CancellationTokenSource _ending = new();
    private DesiredState _desired = DesiredState.Empty;
    private ObservedState _observed = new();
    private volatile ControllerStateView _view;
    private Task _loop = Task.CompletedTask;
    private Task _listening = Task.CompletedTask;

    public ControlLoop(
        INodeAgent runtime, IClusterStore store, NodeStateDirectory directory, ControllerOptions options, ControllerMetrics metrics,
        TimeProvider time, ILoggerFactory loggers)
    {
        this._runtime = runtime;
        this._store = store;
        this._options = options;
        this._metrics = metrics;
        this._time = time;
        _logger = loggers.CreateLogger<ControlLoop>();
        _runner = new(runtime, directory, options, metrics, time, LearnAsync, loggers.CreateLogger<ControlActionRunner>());
        _timer = time.CreateTimer(_ => _events.Writer.TryWrite(ControlEvent.Tick.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _view = new(_desired, _observed, Reconciler.Decide(_desired, _observed, time.GetUtcNow()));
    }

    /// <summary>The newest state. Safe to read from anywhere.</summary>
    public ControllerStateView View => _view;

    /// <summary>Raised on the loop after the view was replaced; handlers are quick and do not throw.</summary>
    public event Action<ControllerStateView>? Changed;

    /// <summary>Loads what was stored and begins.</summary>
    /// <exception cref="StateStoreException">What was stored cannot be read.</exception>
    public void Start()
    {
        _desired = new() { Applications = _store.Load().ToImmutableSortedDictionary(application => application.Name, application => application, StringComparer.Ordinal) };
        _observed = _observed with { Epoch = _store.Epoch };
        if (_desired.Applications.Count > 0)
            Log.Restored(_logger, string.Join(", ", _desired.Applications.Keys));

        // Whoever asks at once is not told that nothing is deployed.
        _view = new(_desired, _observed, Reconciler.Decide(_desired, _observed, _time.GetUtcNow()));
        _events.Writer.TryWrite(ControlEvent.Tick.Instance);
        _loop = Task.Run(RunAsync);
        _listening = Task.Run(ListenAsync);
    }

    /// <summary>Asks for a change.</summary>
    /// <returns>Completes once it is stored and decided about; whether it changed anything.</returns>
    public async Task<bool> RequestAsync(ControlEvent.ChangeRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await _events.Writer.WriteAsync(request, cancellationToken);
        }
        catch (ChannelClosedException)
        {
            throw new NodeConflictException("The node is shutting down; it takes no changes any more.");
        }

        return await request.Answer.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _timer.DisposeAsync();
        await _listening;
        _events.Writer.TryComplete();
        await _loop;
        await _runner.DisposeAsync();
        _ending.Dispose();
    }

    private async ValueTask LearnAsync(ControlObservation observation)
    {
        try
        {
            await _events.Writer.WriteAsync(new ControlEvent.ObservationReceived(observation));
        }
        catch (ChannelClosedException)
        {
            // The controller is gone; the runtime ends what is left.
        }
    }

    private async Task ListenAsync()
    {
        try
        {
            await foreach (var happened in _runtime.WatchAsync(afterVersion: 0, _ending.Token))
            {
                if (happened is NodeEvent.ActorDied died && ReplicaId.TryParse(died.Id.Value, out var replica))
                    await LearnAsync(new ControlObservation.ReplicaDied(replica, died.Reason));
                else if (happened is NodeEvent.WorkerDied worker)
                    Log.WorkerDied(_logger, worker.WorkerId, worker.ProcessId, worker.Reason);
            }
        }
        catch (OperationCanceledException) when (_ending.IsCancellationRequested)
        {
            // The controller ends.
        }
    }

    private async Task RunAsync()
    {
        List<(ControlEvent.ChangeRequest Request, bool Changed)> stored = [];
        while (await _events.Reader.WaitToReadAsync())
        {
            // One decision for all that has come meanwhile.
            while (_events.Reader.TryRead(out var happened))
            {
                switch (happened)
                {
                    case ControlEvent.ObservationReceived learnt:
                        _observed = _observed.Apply(learnt.Observation, _time.GetUtcNow());
                        break;
                    case ControlEvent.ChangeRequest request when TryStore(request, out var changed):
                        stored.Add((request, changed));
                        break;
                }
            }

            try
            {
                Decide();
            }
            catch (Exception error)
            {
                // A decision that throws is a defect; the world stays as it is and the next event tries again.
                Log.DecisionBroke(_logger, error);
                _timer.Change(ReconciliationIntervals.RecheckInterval, Timeout.InfiniteTimeSpan);
            }

            foreach (var (request, changed) in stored)
                request.Succeed(changed);
            stored.Clear();
        }
    }

    // Stored before anything is done about it: after a crash the node must know what it had promised.
    private bool TryStore(ControlEvent.ChangeRequest request, out bool changed)
    {
        changed = false;
        try
        {
            var next = DesiredStateUpdater.Apply(_desired, request, _options.DefaultIsolation, _time.GetUtcNow());
            var saved = next.Applications.Values
                .Where(application => !ReferenceEquals(application, _desired.Applications.GetValueOrDefault(application.Name))).ToList();
            if (saved.Count > 0)
                _store.Save(saved, []);
            foreach (var application in saved)
                Log.Wanted(_logger, application.Name, application.Requested.Number, application.IsDeleting ? "deletion" : application.Requested.Change.ToString());
            changed = saved.Count > 0 || next.IsStopping != _desired.IsStopping;
            _desired = next;
            if (request is ControlEvent.DeployApplications deploy)
            {
                foreach (var application in deploy.Applications)
                    _observed = _observed.WithoutStartFailures(application.Config.Name);
            }

            return true;
        }
        catch (Exception error)
        {
            request.Fail(error);
            return false;
        }
    }

    private void Decide()
    {
        ReconciliationPlan plan;
        var rounds = 0;
        do
        {
            var now = _time.GetUtcNow();
            var resources = _runtime.Resources;
            _observed = _observed with { Resources = new(new(resources.Total.Units), new(resources.Reserved.Units)) };
            plan = Reconciler.Decide(_desired, _observed, now);
            foreach (var action in plan.Actions)
            {
                _observed = _observed.WithDispatched(action, now);
                if (!TryConclude(action))
                    _runner.Run(action);
            }

            _metrics.CountDecision();
        }
        while (plan.Actions.Any(action => action is ControlAction.PromoteApplicationRevision or ControlAction.RemoveApplication) && ++rounds < 8);

        var wait = plan.NextWakeUp is { } wakeUp ? wakeUp - _time.GetUtcNow() : Timeout.InfiniteTimeSpan;
        _timer.Change(wait < TimeSpan.Zero && plan.NextWakeUp is not null ? TimeSpan.Zero : wait, Timeout.InfiniteTimeSpan);
        _view = new(_desired, _observed, plan);
        _metrics.Update(_view);
        Changed?.Invoke(_view);
    }

    private bool TryConclude(ControlAction action)
    {
        switch (action)
        {
            case ControlAction.PromoteApplicationRevision settle when _desired.Applications.TryGetValue(settle.Application, out var application):
                Log.Settled(_logger, settle.Application, settle.Revision);
                if (application.LastGood?.Number == application.Requested.Number)
                    return true;
                Persist(application with { LastGood = application.Requested }, settle.Application);
                return true;
            case ControlAction.RemoveApplication forget:
                Log.Forgotten(_logger, forget.Application);
                Persist(null, forget.Application);
                return true;
            default:
                return action is ControlAction.PromoteApplicationRevision;
        }
    }

    private void Persist(DesiredApplication? application, string name)
    {
        _desired = application is null ? _desired.Without(name) : _desired.With(application);
        try
        {
            _store.Save(application is null ? [] : [application], application is null ? [name] : []);
        }
        catch (StateStoreException error)
        {
            // The node goes on with what it knows; a restart would find the older checkpoint and come to the same again.
            Log.NotStored(_logger, name, error);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1, LogLevel.Information, "Applications found in the state directory: {Applications}")]
        public static partial void Restored(ILogger logger, string applications);

        [LoggerMessage(2, LogLevel.Information, "Application {Application} revision {Revision} is wanted: {Change}")]
        public static partial void Wanted(ILogger logger, string application, long revision, string change);

        [LoggerMessage(3, LogLevel.Information, "Application {Application} revision {Revision} is up")]
        public static partial void Settled(ILogger logger, string application, long revision);

        [LoggerMessage(4, LogLevel.Information, "Application {Application} is gone")]
        public static partial void Forgotten(ILogger logger, string application);

        [LoggerMessage(5, LogLevel.Debug, "Worker {Worker} (process {ProcessId}) died: {Reason}")]
        public static partial void WorkerDied(ILogger logger, string worker, int processId, string reason);

        [LoggerMessage(6, LogLevel.Error, "Application {Application} could not be stored")]
        public static partial void NotStored(ILogger logger, string application, Exception error);

        [LoggerMessage(7, LogLevel.Critical, "A decision broke; nothing was done")]
        public static partial void DecisionBroke(ILogger logger, Exception error);
    }
}
