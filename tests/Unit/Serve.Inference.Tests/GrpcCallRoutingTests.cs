using Google.Protobuf;
using Grpc.Core;
using Inference;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Gateway;
using Serve.Gateway.Tests;

namespace Serve.Inference.Tests;

/// <summary>Forwarding of gRPC calls to the model that their first message names, and failures before that.</summary>
public sealed class GrpcCallRoutingTests : IAsyncLifetime
{
    private const int Limit = 1_000_000;
    private const int Peeked = 256 * 1024;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly TaskCompletionSource _release = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private GatewayTestHost _gateway = null!;

    public async Task InitializeAsync()
    {
        _gateway = await InferenceGatewayHost.StartAsync(new GatewayOptions { Http = new() { MaxRequestBodyBytes = Limit } });
        await _gateway.Deploy("m", "/v2/models/m", "r1", max: 1).PublishAsync();
        _gateway.Local("r1").Http = EchoAsync;
    }

    public async Task DisposeAsync()
    {
        _release.TrySetResult();
        await _gateway.DisposeAsync();
    }

    [Theory]
    [InlineData(0, null)]
    [InlineData(0, "gzip")]
    [InlineData(0, "deflate")]
    [InlineData(5_000, "gzip")]
    [InlineData(200_000, null)]
    [InlineData(200_000, "gzip")]
    [InlineData(200_000, "deflate")]
    public async Task Name_AfterTensors_CallIsForwardedUnchanged(int before, string? encoding)
    {
        var message = Message(before, Field(1, "m"u8.ToArray()), after: 400_000);
        var frame = encoding is null ? RawGrpcClient.Frame(message) : RawGrpcClient.Frame(RawGrpcClient.Compress(message, encoding), isCompressed: true);
        var (status, text, body) = await CallAsync(frame, encoding is null ? [] : [("grpc-encoding", encoding)]);
        Assert.True(status == 0, text);
        Assert.Equal(frame, body);
    }

    [Fact]
    public async Task Name_SplitOverFrames_IsFound()
    {
        var frame = RawGrpcClient.Frame(Message(3, Field(1, "m"u8.ToArray()), after: 3));
        var (status, text, body) = await CallAsync(new RawGrpcClient.ChunkedHttpContent(frame.Select(each => new[] { each })));
        Assert.True(status == 0, text);
        Assert.Equal(frame, body);
    }

    // The gateway waits neither for the end of the message nor for more bytes: the client of a stream may wait for a response first.
    [Fact]
    public async Task Name_ReceivedBeforeWholeMessage_ForwardsReceivedPart()
    {
        var seen = new TaskCompletionSource<byte[]>();
        _gateway.Local("r1").Http = async context =>
        {
            var come = new byte[20];
            await context.Request.Body.ReadExactlyAsync(come);
            seen.SetResult(come);
            await EchoAsync(context);
        };
        var frame = RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), after: 100));
        var call = CallAsync(new RawGrpcClient.ChunkedHttpContent([frame[..20]], _release.Task));
        Assert.Equal(frame[..20], await seen.Task.WaitAsync(Bound));
        _release.SetResult();
        Assert.Equal(0, (await call).Status);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, true)]
    [InlineData(true, false)]
    public async Task Name_AfterPeekedBytes_InvalidArgument(bool isCompressed, bool isNoise)
    {
        byte[] message = [.. Field(ModelInferRequest.RawInputContentsFieldNumber, isNoise ? Noise(Peeked) : new byte[Peeked]), .. Field(1, "m"u8.ToArray())];
        await FailsAsync(
            StatusCode.InvalidArgument, $"The first {Peeked} bytes of the request have no model_name.",
            isCompressed ? RawGrpcClient.Frame(RawGrpcClient.Compress(message, "gzip"), isCompressed: true) : RawGrpcClient.Frame(message), isCompressed ? [("grpc-encoding", "gzip")] : []);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Name_Missing_InvalidArgument(bool isEmpty) =>
        await FailsAsync(StatusCode.InvalidArgument, "bytes of the request have no model_name.", RawGrpcClient.Frame(Message(10, isEmpty ? Field(1, []) : [], after: 10)));

    [Theory]
    [InlineData(0)]
    [InlineData(4)]
    [InlineData(7)]
    public async Task Call_EndsBeforeName_InvalidArgument(int length) =>
        await FailsAsync(StatusCode.InvalidArgument, "bytes of the request have no model_name.", RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), 0))[..length]);

    [Fact]
    public async Task Message_NotProtobuf_InvalidArgument() => await FailsAsync(StatusCode.InvalidArgument, "bytes of the request have no model_name.", RawGrpcClient.Frame([0xFF, 0xFF, 0xFF]));

    [Fact]
    public async Task Message_NotCompressedAsDeclared_InvalidArgument() =>
        await FailsAsync(StatusCode.InvalidArgument, "bytes of the request have no model_name.", RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), 0), isCompressed: true), ("grpc-encoding", "gzip"));

    [Theory]
    [InlineData("other")]
    [InlineData("m/x")]
    [InlineData("../m")]
    [InlineData("M")]
    public async Task Name_UnknownModel_NotFound(string name) =>
        await FailsAsync(StatusCode.NotFound, $"Unknown model '{name}'.", RawGrpcClient.Frame(Message(0, Field(1, System.Text.Encoding.UTF8.GetBytes(name)), 0)));

    [Fact]
    public async Task Infer_MessageOverLimit_ResourceExhausted() =>
        await FailsAsync(StatusCode.ResourceExhausted, $"{Limit} bytes", RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), Limit)));

    [Fact]
    public async Task Stream_BodyOverLimit_LimitsEachMessage()
    {
        long? limit = null;
        _gateway.Local("r1").Http = context =>
        {
            limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
            return EchoAsync(context);
        };
        byte[] body = [.. Enumerable.Repeat(RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), Limit / 4)), 6).SelectMany(each => each)];
        var (status, text, echoed) = await CallAsync(new ByteArrayContent(body), "ModelStreamInfer");
        Assert.True(status == 0, text);
        Assert.Equal(body.Length, echoed.Length);
        Assert.Equal(Limit, limit);
    }

    [Fact]
    public async Task Stream_BodyOverLimit_WorkerReceivesLimit()
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        worker.Replica("far", async context =>
        {
            context.Response.Headers["seen-limit"] = context.Request.Headers[Routes.WireHeaderNames.BodyLimit];
            context.Response.Headers["grpc-message"] = $"{context.Request.Headers[Routes.WireHeaderNames.BodyLimit]}";
            await EchoAsync(context);
        });
        await _gateway.Remote("far", worker.Route).Deploy("m", "/v2/models/m", "far").PublishAsync();
        byte[] body = [.. Enumerable.Repeat(RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), Limit / 4)), 6).SelectMany(each => each)];
        var (status, text, echoed) = await CallAsync(new ByteArrayContent(body), "ModelStreamInfer");
        Assert.Equal((0, $"{Limit}", body.Length), (status, text, echoed.Length));
    }

    [Fact]
    public async Task Deadline_WhileWaitingForReplica_DeadlineExceeded()
    {
        var begun = new TaskCompletionSource();
        _gateway.Local("r1").Http = async context =>
        {
            begun.TrySetResult();
            await _release.Task;
            await EchoAsync(context);
        };
        var frame = RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), 0));
        var busy = CallAsync(new ByteArrayContent(frame));
        await begun.Task.WaitAsync(Bound);
        await FailsAsync(StatusCode.DeadlineExceeded, "Deadline Exceeded", frame, ("grpc-timeout", "10m"));
        _release.SetResult();
        Assert.Equal(0, (await busy).Status);
    }

    [Fact]
    public async Task Deadline_IgnoredByReplica_CancelsRequestAndDeadlineExceeded()
    {
        var told = new TaskCompletionSource();
        _gateway.Local("r1").Http = async context =>
        {
            await using var _ = context.RequestAborted.Register(() => told.SetResult());
            await told.Task;
        };
        await FailsAsync(StatusCode.DeadlineExceeded, "Deadline Exceeded", RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), 0)), ("grpc-timeout", "10m"));
    }

    [Fact]
    public async Task Deadline_BeforeFirstMessage_DeadlineExceeded()
    {
        var (status, text, _) = await CallAsync(new RawGrpcClient.ChunkedHttpContent([[0]], _release.Task), "ModelInfer", ("grpc-timeout", "10m"));
        Assert.Equal(((int)StatusCode.DeadlineExceeded, "Deadline Exceeded"), (status, text));
    }

    [Fact]
    public async Task Deadline_Long_HasNoEffect()
    {
        var frame = RawGrpcClient.Frame(Message(0, Field(1, "m"u8.ToArray()), 0));
        Assert.Equal(0, (await CallAsync(frame, ("grpc-timeout", "1H"))).Status);
    }

    // A model that echoes the call.
    private static async Task EchoAsync(HttpContext context)
    {
        using var all = new MemoryStream();
        await context.Request.Body.CopyToAsync(all, context.RequestAborted);
        context.Response.ContentType = "application/grpc";
        await context.Response.Body.WriteAsync(all.ToArray());
        context.Response.AppendTrailer("grpc-status", "0");
    }

    private Task<(int Status, string Message, byte[] Body)> CallAsync(byte[] body, params (string Name, string Value)[] headers) =>
        CallAsync(new ByteArrayContent(body), "ModelInfer", headers);

    private Task<(int Status, string Message, byte[] Body)> CallAsync(HttpContent content, string method = "ModelInfer", params (string Name, string Value)[] headers) =>
        RawGrpcClient.CallAsync(_gateway.Client, new(_gateway.Address, "/inference.GRPCInferenceService/" + method), content, headers).WaitAsync(Bound);

    private async Task FailsAsync(StatusCode expected, string message, byte[] body, params (string Name, string Value)[] headers)
    {
        var (status, text, _) = await CallAsync(body, headers);
        Assert.True(status == (int)expected && text.Contains(message, StringComparison.Ordinal), $"{status}: {text}");
    }

    // Random bytes do not compress.
    private static byte[] Message(int before, byte[] name, int after) =>
        [.. before == 0 ? [] : Field(ModelInferRequest.RawInputContentsFieldNumber, Noise(before)), .. name, .. after == 0 ? [] : Field(ModelInferRequest.RawInputContentsFieldNumber, Noise(after))];

    private static byte[] Noise(int size)
    {
        var noise = new byte[size];
        new Random(1).NextBytes(noise);
        return noise;
    }

    private static byte[] Field(int number, byte[] value)
    {
        using var target = new MemoryStream();
        var output = new CodedOutputStream(target);
        output.WriteTag(number, WireFormat.WireType.LengthDelimited);
        output.WriteBytes(ByteString.CopyFrom(value));
        output.Flush();
        return target.ToArray();
    }
}
