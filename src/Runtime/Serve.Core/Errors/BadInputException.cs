namespace Serve;

/// <summary>The call itself is wrong: no such method, arguments of the wrong number or type, JSON that cannot be read.</summary>
/// <param name="message">What was expected and what came.</param>
/// <param name="inner">The reader's own error, if there is one.</param>
public sealed class BadInputException(string message, Exception? inner = null)
    : ServeException(ErrorReason.BadInput, 400, isRetrySafe: true, message, inner);
