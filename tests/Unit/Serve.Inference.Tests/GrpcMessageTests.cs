using Google.Protobuf;
using Inference;
using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.RawGrpc;

namespace Serve.Inference.Tests;

/// <summary>gRPC's messages: how large they may be, compressed or not, and how long a call may take.</summary>
public sealed class GrpcMessageTests : IAsyncLifetime, IDisposable
{
    private const int Limit = 100_000;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly FakeOnnxModel _model = new("m.onnx", FakeOnnxModel.Spec("x", TensorType.Int32, -1));
    private readonly HttpClient _client = new();
    private readonly FakeTimeProvider _time = new();
    private ModelServerTestHost _host = null!;

    public async Task InitializeAsync() => _host = await ModelServerTestHost.StartAsync(_model, Limit, _time);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData("gzip", 0, 0)]
    [InlineData("gzip", 1, (int)GrpcStatus.ResourceExhausted)]
    [InlineData("gzip", 100 * Limit, (int)GrpcStatus.ResourceExhausted)]
    [InlineData("deflate", 0, 0)]
    [InlineData("deflate", 1, (int)GrpcStatus.ResourceExhausted)]
    public async Task Compressed_LargerThanTheLimitOnceItIsDecompressed_ResourceExhausted(string encoding, int over, int expected)
    {
        var (status, text, body) = await CallAsync(RawGrpcClient.Frame(RawGrpcClient.Compress(Message(Limit + over), encoding), isCompressed: true), ("grpc-encoding", encoding));
        Assert.True(status == expected, $"{status}: {text}");
        if (expected == 0)
            Assert.Equal([1, 0, 0, 0], ModelInferResponse.Parser.ParseFrom(body.AsSpan(5)).RawOutputContents.Single().ToByteArray());
        else
            Assert.Equal($"The message is larger than {Limit} bytes, which is the most that is taken (http_options.max_request_body_bytes).", text);
        Assert.Equal(0, (await CallAsync(RawGrpcClient.Frame(Message(100)))).Status);
    }

    // Its length alone says so: not a byte of it is waited for.
    [Theory]
    [InlineData(Limit + 1)]
    [InlineData(int.MaxValue)]
    public async Task Plain_LargerThanTheLimit_ResourceExhausted(int length)
    {
        var head = RawGrpcClient.Frame([]);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), length);
        var never = new TaskCompletionSource();
        var (status, text, _) = await RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, "ModelInfer"), new RawGrpcClient.ChunkedHttpContent([head], never.Task));
        Assert.Equal((int)GrpcStatus.ResourceExhausted, status);
        Assert.Contains($"larger than {Limit} bytes", text, StringComparison.Ordinal);
        never.SetResult();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Compressed_AndIsNot_InternalSaysSo(string encoding)
    {
        var (status, text, _) = await CallAsync(RawGrpcClient.Frame(Message(100), isCompressed: true), ("grpc-encoding", encoding));
        Assert.Equal((int)GrpcStatus.Internal, status);
        Assert.StartsWith("The message cannot be decompressed: ", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Compressed_CutAnywhere_InternalSaysHowMuchCame(string encoding)
    {
        var whole = RawGrpcClient.Compress(Message(100), encoding);
        for (var length = 1; length < whole.Length; length++)
        {
            var (status, text, _) = await CallAsync(RawGrpcClient.Frame(whole[..length], isCompressed: true), ("grpc-encoding", encoding));
            Assert.Equal(((int)GrpcStatus.Internal, $"The message cannot be decompressed: {length} bytes came, and the compressed data do not end with them."), (status, text));
        }

        Assert.Equal(0, _model.Runs);
    }

    [Theory]
    [InlineData("br")]
    [InlineData(null)]
    public async Task Compressed_InAnotherWay_Unimplemented(string? encoding)
    {
        using var body = new ByteArrayContent(RawGrpcClient.Frame(RawGrpcClient.Compress(Message(100), "gzip"), isCompressed: true));
        using var response = await RawGrpcClient.SendAsync(_client, new(_host.RpcAddress, "ModelInfer"), body, encoding is null ? [] : [("grpc-encoding", encoding)]);
        Assert.Equal($"{(int)GrpcStatus.Unimplemented}", response.Headers.GetValues("grpc-status").Single());
        Assert.Equal($"grpc-encoding '{encoding}' is not known here; gzip, deflate are.", response.Headers.GetValues("grpc-message").Single());
        Assert.Equal("gzip, deflate", response.Headers.GetValues("grpc-accept-encoding").Single());
    }

    [Fact]
    public async Task Stream_MessagesThatComeTogether_EachIsItsOwn()
    {
        byte[] body = [.. Enumerable.Repeat(RawGrpcClient.Frame(Message(Limit / 5)), 4).SelectMany(each => each)];
        var (status, text, answers) = await RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, "ModelStreamInfer"), body);
        Assert.True(status == 0, text);
        for (var rest = answers.AsSpan(); rest.Length > 0;)
        {
            var length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(rest[1..]);
            Assert.Empty(ModelStreamInferResponse.Parser.ParseFrom(rest.Slice(5, length)).ErrorMessage);
            rest = rest[(5 + length)..];
        }

        Assert.Equal(4, _model.Runs);
    }

    [Theory]
    [InlineData("ModelInfer")]
    [InlineData("ModelStreamInfer")]
    public async Task Timeout_Passes_TheRunIsEndedAndTheAnswerIsDeadlineExceeded(string method)
    {
        var (begun, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        _model.Before = () =>
        {
            begun.SetResult();
            return never.Task;
        };
        var call = RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, method), RawGrpcClient.Frame(Message(100)), ("grpc-timeout", "20S"));
        await begun.Task.WaitAsync(Bound);
        _time.Advance(TimeSpan.FromSeconds(21));
        // Answered only after the run has ended, which by itself would not.
        var (status, text, _) = await call.WaitAsync(Bound);
        Assert.Equal(((int)GrpcStatus.DeadlineExceeded, "The client's time is over."), (status, text));
        Assert.Equal(1, _host.Server.Statistics()[0].InferenceStats.Fail.Count);
        _model.Before = null;
        Assert.Equal(0, (await CallAsync(RawGrpcClient.Frame(Message(100)))).Status);
    }

    [Fact]
    public async Task Timeout_PassesWhileTheStreamWaitsForAMessage_DeadlineExceeded()
    {
        var (begun, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        _model.Before = () =>
        {
            begun.SetResult();
            return Task.CompletedTask;
        };
        var call = RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, "ModelStreamInfer"), new RawGrpcClient.ChunkedHttpContent([RawGrpcClient.Frame(Message(100))], never.Task), ("grpc-timeout", "20S"));
        await begun.Task.WaitAsync(Bound);
        _time.Advance(TimeSpan.FromSeconds(21));
        var (status, text, _) = await call.WaitAsync(Bound);
        Assert.Equal(((int)GrpcStatus.DeadlineExceeded, "The client's time is over."), (status, text));
        never.SetResult();
    }

    private Task<(int Status, string Message, byte[] Body)> CallAsync(byte[] body, params (string Name, string Value)[] headers) =>
        RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, "ModelInfer"), body, headers);

    // A correct request of this size: the rest is in a field that no one reads.
    private static byte[] Message(int size)
    {
        var request = new ModelInferRequest
        {
            ModelName = "fake",
            Inputs = { new ModelInferRequest.Types.InferInputTensor { Name = "x", Datatype = "INT32", Shape = { 1 } } },
            RawInputContents = { ByteString.CopyFrom(1, 0, 0, 0) },
        }.ToByteArray();
        const int Unknown = (99 << 3) | 2;
        var head = new MemoryStream();
        var output = new CodedOutputStream(head, leaveOpen: true);
        var rest = size - request.Length;
        output.WriteUInt32(Unknown);
        // Five bytes for the length, whatever it is.
        output.Flush();
        rest -= (int)head.Length + 5;
        byte[] length = [(byte)(rest | 0x80), (byte)((rest >> 7) | 0x80), (byte)((rest >> 14) | 0x80), (byte)((rest >> 21) | 0x80), (byte)(rest >> 28)];
        byte[] message = [.. request, .. head.ToArray(), .. length, .. new byte[rest]];
        Assert.Equal(size, message.Length);
        return message;
    }
}
