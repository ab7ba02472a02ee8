namespace Serve;

/// <summary>A value cannot be sent to another process: it has no serializer, or it is a closure.</summary>
/// <param name="message">Which value, of which type, and what would help.</param>
/// <param name="inner">The cause, if there is one.</param>
public sealed class NotSerializableException(string message, Exception? inner = null)
    : ServeException(ErrorReason.NotSerializable, 400, isRetrySafe: true, message, inner);
