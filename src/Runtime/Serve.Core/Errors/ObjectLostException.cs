namespace Serve;

/// <summary>The object is gone: its owner ended, its memory or file was lost, or it was freed; and it cannot be computed again.</summary>
/// <param name="message">Which object, how it was lost, and why it was not computed again.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class ObjectLostException(string message, Exception? inner = null)
    : ServeException(ErrorReason.ObjectLost, 410, isRetrySafe: false, message, inner);
