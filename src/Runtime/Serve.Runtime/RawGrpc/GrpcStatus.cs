namespace Serve.Runtime.RawGrpc;

/// <summary>gRPC's status codes, by their numbers on the wire.</summary>
public enum GrpcStatus
{
    /// <summary>It worked.</summary>
    Ok = 0,

    /// <summary>The client gave up.</summary>
    Cancelled = 1,

    /// <summary>The request is wrong.</summary>
    InvalidArgument = 3,

    /// <summary>The client's time is over.</summary>
    DeadlineExceeded = 4,

    /// <summary>There is no such thing.</summary>
    NotFound = 5,

    /// <summary>The caller may not.</summary>
    PermissionDenied = 7,

    /// <summary>Too large, or too much.</summary>
    ResourceExhausted = 8,

    /// <summary>There is no such method.</summary>
    Unimplemented = 12,

    /// <summary>The server failed.</summary>
    Internal = 13,

    /// <summary>Not now; again later.</summary>
    Unavailable = 14,

    /// <summary>The caller has not said who it is.</summary>
    Unauthenticated = 16,
}
