namespace Serve;

/// <summary>The ledger cannot give what was asked for.</summary>
/// <param name="message">What was asked for, and what there is.</param>
/// <param name="isPermanent">Whether it could not be given even with nothing else running.</param>
public sealed class InsufficientResourcesException(string message, bool isPermanent)
    : ServeException(ErrorReason.InsufficientResources, 503, isRetrySafe: true, message)
{
    /// <summary>Whether it could not be given even with nothing else running.</summary>
    public bool IsPermanent { get; } = isPermanent;
}
