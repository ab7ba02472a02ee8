namespace Serve.Http;

/// <summary>Reason why a request was rejected.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Reason">One of <see cref="ErrorReason"/>.</param>
/// <param name="Detail">Display text.</param>
public sealed record RequestGuardRefusal(int Status, string Reason, string Detail);
