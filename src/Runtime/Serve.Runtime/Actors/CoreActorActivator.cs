using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>Activator of Core actors, in the driver and in workers.</summary>
public sealed class CoreActorActivator(Cluster cluster) : IActorActivator
{
    private const string CoreKind = "core";

    public string Kind => CoreKind;

    /// <summary>Creates one of Core's actors in this process.</summary>
    /// <param name="host">The actors of this process.</param>
    /// <param name="id">The actor.</param>
    /// <param name="factory">Creates the user's object.</param>
    /// <param name="turns">Runs the actor's turns.</param>
    /// <param name="concurrency">How calls run.</param>
    /// <param name="gpuIds">The GPU devices assigned to the actor.</param>
    /// <param name="cancellationToken">Cancels the creation.</param>
    /// <exception cref="ActorCreationException">The constructor threw.</exception>
    public static Task<HostedActor> CreateAsync(
        ProcessActorHost host, ActorId id, ActorInstanceFactory factory, ActorTurnScheduler turns, ConcurrencyMode concurrency, IEnumerable<int> gpuIds, CancellationToken cancellationToken) =>
        host.CreateAsync(new() { Id = id, Kind = CoreKind, Concurrency = concurrency }, gpuIds, factory, turns, cancellationToken);

    public async ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken)
    {
        var construct = (ActorInstanceFactory)context.Factory!;
        var made = await construct.CreateInstanceAsync(new ConstructorTaskContext(cluster), cancellationToken);
        return new CoreActorInstance(made, ActorMethodTable.For(construct.Type));
    }
}

/// <summary>Instance of a Core actor: the user's object, which is disposed with the actor.</summary>
internal sealed class CoreActorInstance(object target, ActorMethodTable methods) : ActorInstance
{
    public override object Target => target;

    public override ActorMethodTable Methods => methods;

    public override ValueTask DisposeAsync()
    {
        if (target is IAsyncDisposable async)
            return async.DisposeAsync();
        (target as IDisposable)?.Dispose();
        return ValueTask.CompletedTask;
    }
}

/// <summary>Service provider of a process that needs only its activators; building a container would take longer than creating an actor. Stateless.</summary>
public sealed class ActivatorServiceProvider(params IActorActivator[] activators) : IServiceProvider
{
    public object? GetService(Type serviceType) => serviceType == typeof(IEnumerable<IActorActivator>) ? activators
        : serviceType == typeof(IEnumerable<ITopicSubscriber>) ? Array.Empty<ITopicSubscriber>()
        : null;
}

/// <summary>Context of an actor's constructor, which is not a task and produces no object.</summary>
internal sealed class ConstructorTaskContext(Cluster cluster) : TaskContext
{
    public override Cluster Cluster => cluster;

    public override ObjectId TaskId => new(0);
}
