using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>Origin of an actor call.</summary>
/// <param name="Parent">The task or call whose code makes the call; null for the program.</param>
/// <param name="Caller">Calls of one caller run in order; null for the program.</param>
/// <param name="Id">The id that a worker has assigned to the call; null for a call of this process.</param>
public readonly record struct ActorCallOrigin(TaskContext? Parent, object? Caller, ObjectId? Id)
{
    /// <summary>The running code.</summary>
    public static ActorCallOrigin Here => TaskContext.Current is { } parent ? new(parent, CallerOf(parent), null) : default;

    /// <summary>Returns the caller: all calls of one actor count as one caller.</summary>
    public static object CallerOf(TaskContext parent) => (parent as ActorCallTaskContext)?.Queue ?? (object)parent;
}
