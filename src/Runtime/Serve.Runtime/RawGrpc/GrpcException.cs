namespace Serve.Runtime.RawGrpc;

/// <summary>A call ends with a status of gRPC's.</summary>
/// <param name="status">The status.</param>
/// <param name="message">For people.</param>
public sealed class GrpcException(GrpcStatus status, string message) : Exception(message)
{
    /// <summary>The status.</summary>
    public GrpcStatus Status => status;
}
