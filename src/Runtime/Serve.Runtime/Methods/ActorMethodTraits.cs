namespace Serve.Runtime.Methods;

/// <summary>Properties of a method that determine how a call is scheduled.</summary>
[Flags]
public enum ActorMethodTraits
{
    None = 0,
    Blocking = 1,
    TakesToken = 2,

    /// <summary>Returns a task or a stream.</summary>
    Async = 4,

    /// <summary>Accepts calls outside of turns: see <see cref="QueuedActorMethod"/>.</summary>
    Queued = 8,
}
