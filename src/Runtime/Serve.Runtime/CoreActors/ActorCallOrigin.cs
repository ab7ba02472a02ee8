using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>Where a call of an actor comes from.</summary>
/// <param name="Parent">The code that calls; null for the program.</param>
/// <param name="Caller">Whose calls run in the order in which they were made; null for the program.</param>
/// <param name="Id">What a worker has called it already; null for a call of this process.</param>
internal readonly record struct ActorCallOrigin(TaskContext? Parent, object? Caller, ObjectId? Id)
{
    /// <summary>The code that runs now.</summary>
    public static ActorCallOrigin Here => TaskContext.Current is { } parent ? new(parent, CallerOf(parent), null) : default;

    /// <summary>What an actor submits is of one caller, whichever of its calls does it.</summary>
    public static object CallerOf(TaskContext parent) => (parent as ActorCallTaskContext)?.Actor ?? (object)parent;
}
