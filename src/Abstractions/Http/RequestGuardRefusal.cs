namespace Serve.Http;

/// <summary>Why a request may not pass.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Reason">One of <see cref="ErrorReason"/>.</param>
/// <param name="Detail">For people.</param>
public sealed record RequestGuardRefusal(int Status, string Reason, string Detail);
