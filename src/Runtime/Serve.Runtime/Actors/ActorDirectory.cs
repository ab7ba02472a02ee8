using System.Diagnostics.CodeAnalysis;
using Serve.Runtime.Scheduling;

namespace Serve.Runtime.Actors;

/// <summary>
/// All actors that this process is responsible for, Core's and replicas: finds them, reserves their resources, starts and ends their incarnations. The only writer
/// of its sets, under its lock; the phase of an actor is decided by its <see cref="ActorRecord"/>.
/// </summary>
public sealed class ActorDirectory(TimeProvider time)
{
    /// <summary>Drain timeout of an actor whose calls have all ended.</summary>
    public static readonly TimeSpan IdleDrain = TimeSpan.FromMinutes(10);

    private const int RememberedDead = 1000;

    private readonly Lock _sync = new();
    private readonly Dictionary<ActorId, ActorRecord> _records = [];
    private readonly Dictionary<string, ActorRecord> _named = new(StringComparer.Ordinal);
    private readonly Queue<ActorState> _dead = new();
    private bool _isClosed;

    /// <summary>Actors that have not ended.</summary>
    public IReadOnlyList<ActorRecord> Records
    {
        get
        {
            lock (_sync)
                return [.. _records.Values];
        }
    }

    /// <summary>Actors that are not dead.</summary>
    public IEnumerable<ActorRecord> Living => Records.Where(static actor => !actor.DeathToken.IsCancellationRequested);

    /// <summary>The names of living actors.</summary>
    public IReadOnlyList<string> Names
    {
        get
        {
            lock (_sync)
                return [.. _named.Keys];
        }
    }

    /// <summary>Finds an actor that has not ended.</summary>
    public ActorRecord? Find(ActorId id)
    {
        lock (_sync)
            return _records.GetValueOrDefault(id);
    }

    /// <summary>Finds a living actor by its name and counts a handle to it.</summary>
    public bool TryGetHandle(string name, [NotNullWhen(true)] out ActorRecord? actor)
    {
        lock (_sync)
            return _named.TryGetValue(name, out actor) && actor.TryAddHandle();
    }

    /// <summary>The states of Core's actors: those that died last, then those that live.</summary>
    public IReadOnlyList<ActorState> List()
    {
        var living = Living.Where(static actor => actor.Definition.Owner != ActorOwner.Controller);
        lock (_sync)
            return [.. _dead, .. living.Select(static actor => actor.State).OrderBy(static state => state.ActorId, StringComparer.Ordinal)];
    }

    /// <summary>Adds an actor and starts it.</summary>
    /// <returns>False if a living actor has its name.</returns>
    /// <exception cref="ActorCreationException">An actor with its id exists.</exception>
    /// <exception cref="ObjectDisposedException">The directory is closed.</exception>
    public bool TryAdd(ActorRecord actor)
    {
        lock (_sync)
        {
            if (_isClosed)
                throw Cluster.CreateDisposedException();
            if (actor.Definition.Name is { } name)
            {
                if (_named.TryGetValue(name, out var other) && !other.IsClosed)
                    return false;
                _named[name] = actor;
            }

            if (!_records.TryAdd(actor.Id, actor))
                throw new ActorCreationException(actor.Id, $"Actor {actor.Id} already exists.");
        }

        Start(actor, before: null);
        return true;
    }

    /// <summary>Starts an incarnation, after the previous one has ended.</summary>
    public static void Start(ActorRecord actor, ActorIncarnation? before)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        actor.BeginStart(started.Task);
        _ = StartAsync(actor, before, started);
    }

    /// <summary>Ends the last incarnation of a dead actor and releases its resources.</summary>
    public void End(ActorRecord actor, ActorIncarnation? last, TimeSpan drain, bool kill, CancellationToken cancellationToken) =>
        _ = EndAsync(actor, last, drain, kill, cancellationToken);

    /// <summary>Ends the actor permanently: drains its calls, disposes it and releases its resources. Idempotent; a second call may cut the drain of the first one short.</summary>
    public async Task StopAsync(ActorId id, TimeSpan drain, CancellationToken cancellationToken)
    {
        if (Find(id) is not { } actor)
            return;
        if (!actor.TryDie(
            $"Actor {actor} has ended: it was stopped.", null, drain,
            failure: new OperationCanceledException($"Actor {id} was stopped before it had been created."), cancellationToken: cancellationToken)
            && actor.LastIncarnation is { } last)
        {
            await last.EndAsync(drain, kill: false, cancellationToken).ConfigureAwait(false);
        }

        await actor.Ended.ConfigureAwait(false);
    }

    public void OnDead(ActorRecord actor)
    {
        var state = actor.State;
        lock (_sync)
        {
            if (actor.Definition.Name is { } name && _named.GetValueOrDefault(name) == actor)
                _named.Remove(name);
            if (actor.Definition.Owner == ActorOwner.Controller)
                return;
            _dead.Enqueue(state);
            if (_dead.Count > RememberedDead)
                _dead.Dequeue();
        }
    }

    /// <summary>Accepts no more actors, ends those of one kind, and waits until they have ended.</summary>
    public async Task CloseAsync(Func<ActorRecord, bool> isIncluded, string cause, TimeSpan limit)
    {
        lock (_sync)
            _isClosed = true;
        var left = Records.Where(isIncluded).ToArray();
        foreach (var actor in left)
            actor.TryDie($"Actor {actor} has ended: {cause}.", null, TimeSpan.Zero);
        await Task.WhenAll(left.Select(static actor => actor.Ended)).WaitAsync(limit, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task StartAsync(ActorRecord actor, ActorIncarnation? before, TaskCompletionSource started)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        var launcher = actor.Definition.Launcher;
        var isPrepared = false;
        try
        {
            if (before is not null)
                await before.EndAsync(TimeSpan.Zero, kill: true, CancellationToken.None).ConfigureAwait(false);
            if (actor.IsDone)
                return;
            await launcher.PrepareAsync(actor.DeathToken).ConfigureAwait(false);
            isPrepared = true;

            // An actor that is restarted keeps its resources, unless they were lost with its node.
            if (actor.Resources is { Ledger.IsClosedForGood: true })
                actor.ReleaseResources();
            var held = actor.Resources ??= await ReserveAsync(actor, launcher).ConfigureAwait(false);
            var incarnation = await launcher.StartAsync(actor, held, actor.DeathToken).ConfigureAwait(false);
            if (actor.TryActivate(incarnation))
                return;
            await incarnation.EndAsync(TimeSpan.Zero, kill: true, CancellationToken.None).ConfigureAwait(false);
            if (incarnation.ExitReason is { } reason)
                actor.OnStartLost(reason);
        }
        catch (OperationCanceledException) when (actor.DeathToken.IsCancellationRequested)
        {
            // Killed during its creation; its resources are released by EndAsync.
        }
        catch (WorkerDiedException died)
        {
            actor.OnStartLost(died.Message);
        }
        catch (Exception failed)
        {
            var cause = failed switch
            {
                ActorCreationException { InnerException: ServeException known } => known,
                ActorCreationException { InnerException: { } thrown } => new UserCodeException(thrown),
                _ => failed,
            };
            actor.TryDie($"Actor {actor} could not be created: {(isPrepared ? Describe(failed) : failed.Message)}", cause, TimeSpan.Zero, failure: failed);
        }
        finally
        {
            started.TrySetResult();
        }
    }

    private static string Describe(Exception failed) => failed switch
    {
        UserCodeException user => $"its constructor threw {user.ExceptionType}: {user.Message}",
        ActorCreationException => $"its constructor threw {failed.Message}",
        _ => failed.Message,
    };

    private async Task EndAsync(ActorRecord actor, ActorIncarnation? last, TimeSpan drain, bool kill, CancellationToken cancellationToken)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await actor.Started.ConfigureAwait(false);
        if (last is not null)
            await last.EndAsync(drain, kill, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        actor.ReleaseResources();
        lock (_sync)
            _records.Remove(actor.Id);
        if (actor.LossReason is { } reason)
            actor.Definition.Launcher.OnLost(actor, reason);
        actor.OnEnded();
    }

    /// <summary>Reserves the actor's resources: at once or not at all, or when a ledger has enough free, by its admission policy.</summary>
    private static async Task<ActorResourceHold> ReserveAsync(ActorRecord actor, IActorLauncher launcher)
    {
        var demand = actor.Definition.Demand;
        if (actor.Definition.Admission == AdmissionPolicy.Refuse)
        {
            var ledger = launcher.FindLedgers()[0];
            return new(ledger, ledger.Reserve(demand));
        }

        var (granting, allocation) = await LedgerReservation.ReserveAsync(launcher.FindLedgers, demand, wanted => actor.WantedLedgers = wanted, actor.DeathToken).ConfigureAwait(false);
        return new(granting, allocation);
    }
}
