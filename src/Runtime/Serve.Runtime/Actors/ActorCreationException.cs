namespace Serve.Runtime;

/// <summary>An actor could not be created. Everything begun for it has been undone.</summary>
/// <param name="id">The actor.</param>
/// <param name="message">For people: what its constructor threw, or how its worker failed.</param>
/// <param name="details">The whole text with stack, when there is one.</param>
/// <param name="inner">The cause, when it was in this process.</param>
public sealed class ActorCreationException(ActorId id, string message, string? details = null, Exception? inner = null)
    : Exception(message, inner)
{
    /// <summary>The actor.</summary>
    public ActorId Id { get; } = id;

    /// <summary>The whole text with stack, when there is one.</summary>
    public string? Details { get; } = details;
}
