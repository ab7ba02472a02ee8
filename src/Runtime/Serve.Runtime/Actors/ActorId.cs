namespace Serve.Runtime;

/// <summary>Names an actor within a node; never used twice.</summary>
/// <param name="Value">The id as text.</param>
public readonly record struct ActorId(string Value)
{
    /// <inheritdoc/>
    public override string ToString() => Value;
}
