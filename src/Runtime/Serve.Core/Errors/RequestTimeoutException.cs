namespace Serve;

/// <summary>The request took longer than its timeout. It may have run, or still be running.</summary>
/// <param name="message">The timeout, and where the time went.</param>
public sealed class RequestTimeoutException(string message) : ServeException(ErrorReason.Timeout, 408, isRetrySafe: false, message);
