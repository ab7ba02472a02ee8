namespace Serve.Runtime.Methods;

/// <summary>What a caller must know of a method before it enters a turn.</summary>
[Flags]
internal enum ActorMethodTraits
{
    None = 0,
    Blocking = 1,
    TakesToken = 2,

    /// <summary>Returns a task or a stream.</summary>
    Async = 4,

    /// <summary>Takes its calls outside turns: see <see cref="QueuedActorMethod"/>.</summary>
    Queued = 8,
}
