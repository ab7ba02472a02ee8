using Microsoft.AspNetCore.Http;

namespace Serve.Routes;

/// <summary>Which multiplexed model an HTTP request asks for.</summary>
public static class RequestedModelReader
{
    // What a gRPC client says as metadata; Ray Serve's own name there.
    private const string GrpcMetadata = "multiplexed_model_id";

    /// <summary>The model's id: the header <see cref="WireHeaderNames.MultiplexedModelId"/>, or the metadata <c>multiplexed_model_id</c> of a gRPC request.</summary>
    /// <param name="request">The request.</param>
    /// <returns>Null when it asks for none.</returns>
    public static string? Read(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string? model = request.Headers[WireHeaderNames.MultiplexedModelId];
        if (string.IsNullOrEmpty(model) && request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is true)
            model = request.Headers[GrpcMetadata];
        return string.IsNullOrEmpty(model) ? null : model;
    }
}
