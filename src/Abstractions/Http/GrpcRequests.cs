using Microsoft.AspNetCore.Http;

namespace Serve.Http;

/// <summary>Detection of gRPC calls among HTTP requests.</summary>
public static class GrpcRequests
{
    /// <summary>Returns whether a request is a gRPC call; gRPC-Web is not.</summary>
    /// <param name="request">The request.</param>
    /// <returns>Whether it is a gRPC call.</returns>
    public static bool IsGrpc(HttpRequest request) =>
        request.ContentType is { } type
        && type.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase)
        && !type.StartsWith("application/grpc-web", StringComparison.OrdinalIgnoreCase);
}
