using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>Creates the instance of an actor, again with each restart. Keeps the references among the constructor's arguments alive.</summary>
public abstract class ActorInstanceFactory
{
    public abstract Type Type { get; }

    public IReadOnlyList<ObjectRef> Arguments { get; protected init; } = [];

    /// <summary>Runs the constructor. The references among its arguments are ready.</summary>
    public abstract ValueTask<object> CreateInstanceAsync(TaskContext context, CancellationToken cancellationToken);

    /// <summary>Creates a handle to the actor; the caller has counted it.</summary>
    public abstract IActorHandleLink HandleTo(ActorCallQueue calls);

    /// <summary>Returns the constructor's arguments for another process.</summary>
    public abstract object?[] GetArguments();
}
