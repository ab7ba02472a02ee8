using Google.Protobuf;
using Grpc.Core;
using Serve.Inference.Grpc;

namespace Serve.Inference.Tests;

public sealed class GrpcErrorsTests
{
    public static TheoryData<Exception, StatusCode, bool> Errors { get; } = new()
    {
        { new InvalidOperationException("why"), StatusCode.Internal, true },
        { new RpcException(new Status(StatusCode.Internal, "why")), StatusCode.Internal, false },
        { new BadInputException("why"), StatusCode.InvalidArgument, false },
        { new DeadlineUnmeetableException("why"), StatusCode.DeadlineExceeded, false },
        { new NoSuchRouteException("why"), StatusCode.NotFound, false },
        { new OperationCanceledException("why"), StatusCode.Cancelled, false },
    };

    [Theory]
    [MemberData(nameof(Errors))]
    public void ToRpcException_Error_HasItsStatusAndMessage(Exception error, StatusCode status, bool isServerFailure)
    {
        var exception = GrpcErrors.ToRpcException(error);
        Assert.Equal((status, "why"), (exception.StatusCode, exception.Status.Detail));
        Assert.Equal(isServerFailure, GrpcErrors.IsServerFailure(error));
    }

    [Fact]
    public void ToRpcException_ErrorWithFilePath_HasNameOnly() =>
        Assert.Equal("m.onnx cannot be loaded", GrpcErrors.ToRpcException(new InferenceException("/tmp/models/m.onnx cannot be loaded")).Status.Detail);

    [Fact]
    public void ToRpcException_InvalidMessage_InvalidArgument() =>
        Assert.Equal(StatusCode.InvalidArgument, GrpcErrors.ToRpcException(Assert.Throws<InvalidProtocolBufferException>(() => global::Inference.ModelInferRequest.Parser.ParseFrom(new byte[] { 0xFF }))).StatusCode);
}
