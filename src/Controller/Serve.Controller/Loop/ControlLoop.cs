using System.Collections.Immutable;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Serve.Control;
using Serve.Runtime;

namespace Serve.Controller;

/// <summary>
/// The one writer of the desired and the observed state: takes events in order, folds them in, stores what must survive, decides, and has
/// the decision carried out. It sleeps until something happens or the plan says it is time.
/// </summary>
internal sealed partial class ControlLoop : IAsyncDisposable
{
    private readonly Channel<ControlEvent> events = Channel.CreateBounded<ControlEvent>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly IActorRuntime runtime;
    private readonly IStateStore store;
    private readonly ControllerOptions options;
    private readonly ControllerMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger<ControlLoop> logger;
    private readonly ActionRunner runner;
    private readonly ITimer timer;
    private readonly CancellationTokenSource ending = new();
    private DesiredState desired = DesiredState.Empty;
    private ObservedState observed = new();
    private volatile ControllerView view;
    private Task loop = Task.CompletedTask;
    private Task listening = Task.CompletedTask;

    public ControlLoop(
        IActorRuntime runtime, IStateStore store, StateDirectory directory, ControllerOptions options, ControllerMetrics metrics,
        TimeProvider time, ILoggerFactory loggers)
    {
        this.runtime = runtime;
        this.store = store;
        this.options = options;
        this.metrics = metrics;
        this.time = time;
        logger = loggers.CreateLogger<ControlLoop>();
        runner = new(runtime, directory, options, metrics, time, LearnAsync, loggers.CreateLogger<ActionRunner>());
        timer = time.CreateTimer(_ => events.Writer.TryWrite(ControlEvent.Tick.Instance), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        view = new(desired, observed, Reconciler.Decide(desired, observed, time.GetUtcNow()));
    }

    /// <summary>The newest state. Safe to read from anywhere.</summary>
    public ControllerView View => view;

    /// <summary>Raised on the loop after the view was replaced; handlers are quick and do not throw.</summary>
    public event Action<ControllerView>? Changed;

    /// <summary>Loads what was stored and begins.</summary>
    /// <exception cref="StateStoreException">What was stored cannot be read.</exception>
    public void Start()
    {
        desired = new() { Applications = store.Load().ToImmutableSortedDictionary(application => application.Name, application => application, StringComparer.Ordinal) };
        observed = observed with { Epoch = store.Epoch };
        if (desired.Applications.Count > 0)
            Log.Restored(logger, string.Join(", ", desired.Applications.Keys));

        // Whoever asks at once is not told that nothing is deployed.
        view = new(desired, observed, Reconciler.Decide(desired, observed, time.GetUtcNow()));
        events.Writer.TryWrite(ControlEvent.Tick.Instance);
        loop = Task.Run(RunAsync);
        listening = Task.Run(ListenAsync);
    }

    /// <summary>Asks for a change.</summary>
    /// <returns>Completes once it is stored and decided about; whether it changed anything.</returns>
    public async Task<bool> RequestAsync(ControlEvent.Request request, CancellationToken cancellationToken)
    {
        try
        {
            await events.Writer.WriteAsync(request, cancellationToken);
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
        await ending.CancelAsync();
        await timer.DisposeAsync();
        await listening;
        events.Writer.TryComplete();
        await loop;
        await runner.DisposeAsync();
        ending.Dispose();
    }

    private async ValueTask LearnAsync(Observation observation)
    {
        try
        {
            await events.Writer.WriteAsync(new ControlEvent.Learnt(observation));
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
            await foreach (var happened in runtime.Events.ReadAllAsync(ending.Token))
            {
                if (happened is ActorEvent.ActorDied died && ReplicaId.TryParse(died.Id.Value, out var replica))
                    await LearnAsync(new Observation.Died(replica, died.Reason));
                else if (happened is ActorEvent.WorkerDied worker)
                    Log.WorkerDied(logger, worker.WorkerId, worker.ProcessId, worker.Reason);
            }
        }
        catch (OperationCanceledException) when (ending.IsCancellationRequested)
        {
            // The controller ends.
        }
    }

    private async Task RunAsync()
    {
        List<(ControlEvent.Request Request, bool Changed)> stored = [];
        while (await events.Reader.WaitToReadAsync())
        {
            // One decision for all that has come meanwhile.
            while (events.Reader.TryRead(out var happened))
            {
                switch (happened)
                {
                    case ControlEvent.Learnt learnt:
                        observed = observed.After(learnt.Observation, time.GetUtcNow());
                        break;
                    case ControlEvent.Request request when TryStore(request, out var changed):
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
                Log.DecisionBroke(logger, error);
                timer.Change(ControlTimes.Recheck, Timeout.InfiniteTimeSpan);
            }

            foreach (var (request, changed) in stored)
                request.Succeed(changed);
            stored.Clear();
        }
    }

    // Stored before anything is done about it: after a crash the node must know what it had promised.
    private bool TryStore(ControlEvent.Request request, out bool changed)
    {
        changed = false;
        try
        {
            var next = DesiredChanges.Apply(desired, request, options.DefaultIsolation, time.GetUtcNow());
            var saved = next.Applications.Values
                .Where(application => !ReferenceEquals(application, desired.Applications.GetValueOrDefault(application.Name))).ToList();
            if (saved.Count > 0)
                store.Save(saved, []);
            foreach (var application in saved)
                Log.Wanted(logger, application.Name, application.Target.Number, application.IsDeleting ? "deletion" : application.Target.Change.ToString());
            changed = saved.Count > 0 || next.IsStopping != desired.IsStopping;
            desired = next;
            if (request is ControlEvent.Deploy deploy)
            {
                foreach (var application in deploy.Applications)
                    observed = observed.Retrying(application.Config.Name);
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
        Plan plan;
        var rounds = 0;
        do
        {
            var now = time.GetUtcNow();
            var resources = runtime.Resources;
            observed = observed with { Resources = new(new(resources.Total.Units), new(resources.Reserved.Units)) };
            plan = Reconciler.Decide(desired, observed, now);
            foreach (var action in plan.Actions)
            {
                observed = observed.Dispatched(action, now);
                if (!TryConclude(action))
                    runner.Run(action);
            }

            metrics.Looped();
        }
        while (plan.Actions.Any(action => action is ControlAction.SettleApplication or ControlAction.ForgetApplication) && ++rounds < 8);

        var wait = plan.NextWakeUp is { } wakeUp ? wakeUp - time.GetUtcNow() : Timeout.InfiniteTimeSpan;
        timer.Change(wait < TimeSpan.Zero && plan.NextWakeUp is not null ? TimeSpan.Zero : wait, Timeout.InfiniteTimeSpan);
        view = new(desired, observed, plan);
        metrics.Show(view);
        Changed?.Invoke(view);
    }

    private bool TryConclude(ControlAction action)
    {
        switch (action)
        {
            case ControlAction.SettleApplication settle when desired.Applications.TryGetValue(settle.Application, out var application):
                Log.Settled(logger, settle.Application, settle.Revision);
                if (application.LastGood?.Number == application.Target.Number)
                    return true;
                Persist(application with { LastGood = application.Target }, settle.Application);
                return true;
            case ControlAction.ForgetApplication forget:
                Log.Forgotten(logger, forget.Application);
                Persist(null, forget.Application);
                return true;
            default:
                return action is ControlAction.SettleApplication;
        }
    }

    private void Persist(DesiredApplication? application, string name)
    {
        desired = application is null ? desired.Without(name) : desired.With(application);
        try
        {
            store.Save(application is null ? [] : [application], application is null ? [name] : []);
        }
        catch (StateStoreException error)
        {
            // The node goes on with what it knows; a restart would find the older checkpoint and come to the same again.
            Log.NotStored(logger, name, error);
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
