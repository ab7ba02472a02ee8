namespace Serve.Runtime;

/// <summary>The node's ledger cannot give what was asked for.</summary>
/// <param name="message">What was asked for, and what there is.</param>
/// <param name="isPermanent">Whether the node could not give it even with nothing else on it.</param>
public sealed class InsufficientResourcesException(string message, bool isPermanent) : Exception(message)
{
    /// <summary>Whether the node could not give it even with nothing else on it.</summary>
    public bool IsPermanent { get; } = isPermanent;
}
