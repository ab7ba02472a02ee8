using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Serve.Http;

namespace Serve.Inference.Grpc;

/// <summary>Maps exceptions to gRPC statuses.</summary>
internal static class GrpcErrors
{
    /// <summary>Returns the exception with which a call fails, without file paths of the server.</summary>
    /// <param name="error">The exception of the handler.</param>
    public static RpcException ToRpcException(Exception error) => error as RpcException ?? new(new Status(StatusOf(error), ServerPathRedactor.Redact(error.Message), error));

    /// <summary>Returns whether an exception is a failure of the server that its operator should see.</summary>
    public static bool IsServerFailure(Exception error) => error is not RpcException && StatusOf(error) == StatusCode.Internal;

    public static RpcException MessageTooLarge(long limit) =>
        new(new Status(StatusCode.ResourceExhausted, $"The message is larger than {limit} bytes (http_options.max_request_body_bytes)."));

    public static RpcException UnknownEncoding(HttpRequest request) => new(
        new Status(StatusCode.Unimplemented, $"grpc-encoding '{request.Headers["grpc-encoding"]}' is not supported. Supported: gzip, deflate."),
        new Metadata { { "grpc-accept-encoding", "gzip,deflate" } });

    private static StatusCode StatusOf(Exception error) => error switch
    {
        ServeException known => StatusOf(known.StatusCode),
        BadHttpRequestException bad => StatusOf(bad.StatusCode),
        InvalidProtocolBufferException => StatusCode.InvalidArgument,
        OperationCanceledException => StatusCode.Cancelled,
        _ => StatusCode.Internal,
    };

    private static StatusCode StatusOf(int http) => http switch
    {
        StatusCodes.Status400BadRequest => StatusCode.InvalidArgument,
        StatusCodes.Status401Unauthorized => StatusCode.Unauthenticated,
        StatusCodes.Status403Forbidden => StatusCode.PermissionDenied,
        StatusCodes.Status404NotFound => StatusCode.NotFound,
        StatusCodes.Status408RequestTimeout or StatusCodes.Status504GatewayTimeout => StatusCode.DeadlineExceeded,
        StatusCodes.Status413PayloadTooLarge => StatusCode.ResourceExhausted,
        StatusCodes.Status502BadGateway or StatusCodes.Status503ServiceUnavailable => StatusCode.Unavailable,
        _ => StatusCode.Internal,
    };
}
