using Microsoft.AspNetCore.Http;

namespace Serve.Routes;

/// <summary>Reads the multiplexed model that an HTTP request asks for.</summary>
public static class RequestedModelReader
{
    // Metadata of a gRPC client; Ray Serve's name.
    private const string GrpcMetadata = "multiplexed_model_id";

    /// <summary>
    /// Returns the model's id from the header <see cref="WireHeaderNames.MultiplexedModelId"/>, or from the metadata <c>multiplexed_model_id</c> of a gRPC request;
    /// null if the request has neither.
    /// </summary>
    public static string? Read(HttpRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        string? model = request.Headers[WireHeaderNames.MultiplexedModelId];
        if (string.IsNullOrEmpty(model) && request.ContentType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) is true)
            model = request.Headers[GrpcMetadata];
        return string.IsNullOrEmpty(model) ? null : model;
    }
}
