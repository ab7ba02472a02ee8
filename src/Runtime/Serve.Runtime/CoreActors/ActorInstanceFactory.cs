using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>How an actor is made, again with every restart. Holds the refs among its constructor's arguments for as long.</summary>
internal abstract class ActorInstanceFactory
{
    public abstract Type Type { get; }

    public IReadOnlyList<ObjectRef> Arguments { get; protected init; } = [];

    /// <summary>Runs the constructor; its arguments are ready.</summary>
    public abstract ValueTask<object> CreateInstanceAsync(TaskContext context, CancellationToken cancellationToken);

    /// <summary>A handle to the actor that was made so, which has counted it already.</summary>
    public abstract IActorHandleLink HandleTo(ActorRecord actor);

    /// <summary>The constructor's arguments, for another process.</summary>
    public abstract object?[] GetArguments();
}
