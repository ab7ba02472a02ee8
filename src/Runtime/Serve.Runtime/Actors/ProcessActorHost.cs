using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Calls;
using Serve.Runtime.Turns;

namespace Serve.Runtime;

/// <summary>Hosts the actors of this process, a node or a worker: activates, finds and stops them. The only writer of its set.</summary>
public sealed partial class ProcessActorHost(IServiceProvider services, ProcessIdentity identity, TimeProvider time, ILogger<ProcessActorHost> logger)
{
    private readonly ConcurrentDictionary<ActorId, HostedActor> _actors = new();
    private readonly ConcurrentDictionary<ActorId, PendingActorCreation> _creations = new();

    // Lazy, because activators may depend on the reference resolver, which depends on this host.
    private readonly Lazy<ImmutableDictionary<string, IActorActivator>> _activators =
        new(() => services.GetServices<IActorActivator>().ToImmutableDictionary(activator => activator.Kind, StringComparer.Ordinal));

    public HostedActor? Find(ActorId id) => _actors.GetValueOrDefault(id);

    /// <summary>The actor, or a reference that looks it up with each call if it does not exist yet.</summary>
    public ILocalActor Resolve(ActorId id) => Find(id) as ILocalActor ?? new LateBoundActor(id, this);

    /// <inheritdoc cref="CreateAsync(ActorSpec, IEnumerable{int}, object, ActorTurnScheduler, CancellationToken)"/>
    public Task<HostedActor> CreateAsync(ActorSpec spec, IEnumerable<int> gpuIds, CancellationToken cancellationToken) =>
        CreateAsync(spec, gpuIds, factory: null, turns: null, cancellationToken);

    /// <summary>Creates an actor.</summary>
    /// <param name="spec">The actor.</param>
    /// <param name="gpuIds">The GPU devices assigned to it.</param>
    /// <param name="factory">Input of the activator besides the payload; null for none.</param>
    /// <param name="turns">Runs the actor's turns; null for a new scheduler.</param>
    /// <param name="cancellationToken">Cancels the creation.</param>
    /// <exception cref="ActorCreationException">The activator threw, or no activator of this kind is registered.</exception>
    public async Task<HostedActor> CreateAsync(ActorSpec spec, IEnumerable<int> gpuIds, object? factory, ActorTurnScheduler? turns, CancellationToken cancellationToken)
    {
        if (!_activators.Value.TryGetValue(spec.Kind, out var activator))
            throw new ActorCreationException(spec.Id, $"No activator is registered for actors of kind '{spec.Kind}'.");
        using var creation = new PendingActorCreation(cancellationToken);
        if (_actors.ContainsKey(spec.Id) || !_creations.TryAdd(spec.Id, creation))
            throw new ActorCreationException(spec.Id, $"Actor {spec.Id} already exists in this process.");
        try
        {
            var (instance, context, life) = await ActivateAsync(activator, spec, gpuIds, factory, turns ?? ActorTurnScheduler.Create(spec.Concurrency, logger), creation.Token);
            return _actors[spec.Id] = new HostedActor(instance, context, life, () => identity.Route);
        }
        finally
        {
            // Removed before its disposal releases a waiting stop, which then looks for the actor itself.
            _creations.TryRemove(new(spec.Id, creation));
        }
    }

    public async Task StopAsync(ActorId id, TimeSpan drainTimeout, CancellationToken cancellationToken)
    {
        if (_creations.TryGetValue(id, out var creation))
            await creation.GiveUpAsync();
        if (!_actors.TryGetValue(id, out var actor))
            return;
        await actor.Shutdown.EndAsync(actor.Instance, drainTimeout, cancellationToken);
        _actors.TryRemove(new(id, actor));
    }

    public async Task ReconfigureAsync(ActorId id, int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var actor = Require(id);
        await AsUserCodeAsync(
            actor.Context.Turns.RunUrgentAsync((actor.Instance, payload, cancellationToken), static call => call.Instance.ReconfigureAsync(call.payload, call.cancellationToken)),
            cancellationToken);
        actor.Context.Gate.Limit = maxOngoing;
    }

    public IReadOnlyList<string> NoticesOf(ActorId id) => Require(id).Instance.Notices;

    /// <exception cref="UserCodeException">The health check failed or timed out.</exception>
    public Task CheckHealthAsync(ActorId id, TimeSpan timeout, CancellationToken cancellationToken) => Require(id).Health.CheckAsync(timeout, time, cancellationToken);

    private static async Task AsUserCodeAsync(ValueTask hook, CancellationToken cancellationToken)
    {
        try
        {
            await hook.AsTask().WaitAsync(cancellationToken);
        }
        catch (Exception thrown) when (thrown is not UserCodeException && !cancellationToken.IsCancellationRequested)
        {
            throw new UserCodeException(thrown);
        }
    }

    private async Task<(ActorInstance Instance, ActorActivationContext Context, ActorShutdownSequence Life)> ActivateAsync(
        IActorActivator activator, ActorSpec spec, IEnumerable<int> gpuIds, object? factory, ActorTurnScheduler turns, CancellationToken cancellationToken)
    {
        var gate = new ConcurrencyLimiter(spec.MaxOngoing);
        var life = new ActorShutdownSequence(spec.Id, gate, turns, time, logger);
        var context = new ActorActivationContext
        {
            Spec = spec,
            ProcessId = identity.ProcessId,
            Turns = turns,
            Gate = gate,
            GpuIds = [.. gpuIds],
            Factory = factory,
            Aborted = life.Aborted,
            Services = services,
        };
        cancellationToken.ThrowIfCancellationRequested();

        // A constructor may block for a long time: it runs on a dedicated thread, unless turns run on threads that may be blocked.
        var activation = turns.RunAsync(
            (activator, context, cancellationToken), static call => call.activator.ActivateAsync(call.context, call.cancellationToken),
            blocking: turns is not TurnBasedScheduler { HasOwnThreads: true }).AsTask();
        try
        {
            return (await activation.WaitAsync(cancellationToken), context, life);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            _ = DisposeLateAsync(activation, spec.Id);
            throw;
        }
        catch (Exception thrown)
        {
            var cause = thrown is TargetInvocationException { InnerException: { } inner } ? inner : thrown;
            var details = PlatformErrorClassifier.IsPlatformError(cause) ? null : cause.ToString();
            throw new ActorCreationException(spec.Id, $"{cause.GetType().FullName}: {cause.Message}", details, cause);
        }
    }

    /// <summary>Disposes an instance whose creation was canceled but completed nevertheless.</summary>
    private async Task DisposeLateAsync(Task<ActorInstance> activation, ActorId id)
    {
        try
        {
            await (await activation).DisposeAsync();
        }
        catch (OperationCanceledException)
        {
            // The activator observed its token; there is nothing to dispose.
        }
        catch (Exception thrown)
        {
            Log.Late(logger, thrown, id);
        }
    }

    private HostedActor Require(ActorId id) => Find(id) ?? throw new CallRefusedException(id.Value, gone: true);

    private static partial class Log
    {
        [LoggerMessage(EventId = 1003, Level = LogLevel.Warning, Message = "Creation of actor {Id} failed after it had been canceled")]
        public static partial void Late(ILogger logger, Exception thrown, ActorId id);
    }
}
