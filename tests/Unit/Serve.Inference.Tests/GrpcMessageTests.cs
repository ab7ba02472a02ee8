using Google.Protobuf;
using Grpc.Core;
using Inference;

namespace Serve.Inference.Tests;

/// <summary>Limits and compression of gRPC messages, and deadlines of calls.</summary>
public sealed class GrpcMessageTests : IAsyncLifetime, IDisposable
{
    private const int Limit = 100_000;
    // CANCEL of HTTP/2.
    private const long HttpCancel = 8;
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);
    private readonly FakeOnnxModel _model = new("m.onnx", FakeOnnxModel.Spec("x", TensorType.Int32, -1));
    private readonly HttpClient _client = new();
    private ModelServerTestHost _host = null!;

    public async Task InitializeAsync() => _host = await ModelServerTestHost.StartAsync(_model, Limit);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose()
    {
        _client.Dispose();
        _model.Dispose();
    }

    [Theory]
    [InlineData("gzip", 0, 0)]
    [InlineData("gzip", 1, (int)StatusCode.ResourceExhausted)]
    [InlineData("gzip", 100 * Limit, (int)StatusCode.ResourceExhausted)]
    [InlineData("deflate", 0, 0)]
    [InlineData("deflate", 1, (int)StatusCode.ResourceExhausted)]
    public async Task Compressed_DecompressedSizeOverLimit_ResourceExhausted(string encoding, int over, int expected)
    {
        var (status, text, body) = await CallAsync(RawGrpcClient.Frame(RawGrpcClient.Compress(Message(Limit + over), encoding), isCompressed: true), ("grpc-encoding", encoding));
        Assert.True(status == expected, $"{status}: {text}");
        if (expected == 0)
            Assert.Equal([1, 0, 0, 0], ModelInferResponse.Parser.ParseFrom(body.AsSpan(5)).RawOutputContents.Single().ToByteArray());
        else
            Assert.Equal($"The message is larger than {Limit} bytes (http_options.max_request_body_bytes).", text);
        Assert.Equal(0, (await CallAsync(RawGrpcClient.Frame(Message(100)))).Status);
    }

    // Refused by its declared length, before any of its bytes are received.
    [Theory]
    [InlineData(Limit + 1)]
    [InlineData(int.MaxValue)]
    public async Task Plain_DeclaredSizeOverLimit_ResourceExhausted(int length)
    {
        var head = RawGrpcClient.Frame([]);
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(head.AsSpan(1), length);
        var never = new TaskCompletionSource();
        var (status, text, _) = await RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, "ModelInfer"), new RawGrpcClient.ChunkedHttpContent([head], never.Task));
        Assert.True(status == (int)StatusCode.ResourceExhausted, text);
        never.SetResult();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Compressed_InvalidData_Internal(string encoding)
    {
        var (status, text, _) = await CallAsync(RawGrpcClient.Frame(Message(100), isCompressed: true), ("grpc-encoding", encoding));
        Assert.Equal((int)StatusCode.Internal, status);
        Assert.StartsWith("The message cannot be decompressed: ", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Compressed_Truncated_Internal(string encoding)
    {
        var whole = RawGrpcClient.Compress(Message(100), encoding);
        for (var length = 1; length < whole.Length; length++)
        {
            var (status, text, _) = await CallAsync(RawGrpcClient.Frame(whole[..length], isCompressed: true), ("grpc-encoding", encoding));
            Assert.Equal(((int)StatusCode.Internal, $"The message cannot be decompressed: {length} bytes came, and the compressed data do not end with them."), (status, text));
        }

        Assert.Equal(0, _model.Runs);
    }

    [Fact]
    public async Task Compressed_UnknownEncoding_Unimplemented()
    {
        using var body = new ByteArrayContent(RawGrpcClient.Frame(RawGrpcClient.Compress(Message(100), "gzip"), isCompressed: true));
        using var response = await RawGrpcClient.SendAsync(_client, new(_host.RpcAddress, "ModelInfer"), body, ("grpc-encoding", "br"));
        Assert.Equal($"{(int)StatusCode.Unimplemented}", response.Headers.GetValues("grpc-status").Single());
        Assert.Contains("'br'", response.Headers.GetValues("grpc-message").Single(), StringComparison.Ordinal);
        Assert.Equal("identity,gzip,deflate", response.Headers.GetValues("grpc-accept-encoding").Single());
    }

    // compression.md: a message that is marked as compressed, in a call without an encoding, is an internal error.
    [Fact]
    public async Task Compressed_NoEncoding_Internal()
    {
        var (status, text, _) = await CallAsync(RawGrpcClient.Frame(RawGrpcClient.Compress(Message(100), "gzip"), isCompressed: true));
        Assert.True(status == (int)StatusCode.Internal, text);
    }

    // .NET's compressing streams write nothing for an empty message.
    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Compressed_EmptyMessageWithoutBytes_IsEmpty(string encoding)
    {
        var (status, text, _) = await CallAsync(RawGrpcClient.Frame([], isCompressed: true), ("grpc-encoding", encoding));
        Assert.Equal(((int)StatusCode.InvalidArgument, "The request is for model '', but its call is bound to model 'fake' by the first request."), (status, text));
    }

    [Fact]
    public async Task Infer_ModelWithoutInputs_IsRun()
    {
        using var constant = new FakeOnnxModel("constant.onnx") { DeclaredOutputs = [FakeOnnxModel.Spec("y", TensorType.Int32, 2)], Run = static _ => [("y", Tensor.Of([1, 2], 2))] };
        await using var host = await ModelServerTestHost.StartAsync(constant);

        var (status, text, body) = await RawGrpcClient.CallAsync(
            _client, new(host.RpcAddress, "ModelInfer"), new ByteArrayContent(RawGrpcClient.Frame(new ModelInferRequest { ModelName = "fake" }.ToByteArray())));

        Assert.True(status == 0, text);
        Assert.Equal([1, 2], ModelInferResponse.Parser.ParseFrom(body.AsSpan(5)).Outputs.Single().Contents.IntContents);
    }

    [Fact]
    public async Task Stream_MessagesInOnePacket_AreServedSeparately()
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
    public async Task Deadline_DuringRun_CancelsRunAndDeadlineExceeded(string method)
    {
        var (begun, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        _model.Before = () =>
        {
            begun.SetResult();
            return never.Task;
        };
        var call = RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, method), RawGrpcClient.Frame(Message(100)), ("grpc-timeout", "500m"));
        await begun.Task.WaitAsync(Bound);
        var (status, text, _) = await call.WaitAsync(Bound);
        Assert.Equal(((int)StatusCode.DeadlineExceeded, "Deadline Exceeded"), (status, text));
        // The run would not end by itself.
        await Eventually.TrueAsync(() => _host.Server.Statistics()[0].InferenceStats.Fail.Count == 1);
        _model.Before = null;
        Assert.Equal(0, (await CallAsync(RawGrpcClient.Frame(Message(100)))).Status);
    }

    [Fact]
    public async Task Deadline_StreamWaitsForMessage_DeadlineExceeded()
    {
        var (begun, never) = (new TaskCompletionSource(), new TaskCompletionSource());
        _model.Before = () =>
        {
            begun.SetResult();
            return Task.CompletedTask;
        };
        var call = RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, "ModelStreamInfer"), new RawGrpcClient.ChunkedHttpContent([RawGrpcClient.Frame(Message(100))], never.Task), ("grpc-timeout", "500m"));
        await begun.Task.WaitAsync(Bound);
        try
        {
            var (status, text, _) = await call.WaitAsync(Bound);
            Assert.Equal(((int)StatusCode.DeadlineExceeded, "Deadline Exceeded"), (status, text));
        }
        catch (HttpRequestException exception) when (exception.InnerException is HttpProtocolException { ErrorCode: HttpCancel })
        {
            // The server sends the trailers and then resets the stream, because the request has no end. HttpClient reports the reset if it arrives before the trailers are read.
        }

        never.SetResult();
    }

    private Task<(int Status, string Message, byte[] Body)> CallAsync(byte[] body, params (string Name, string Value)[] headers) =>
        RawGrpcClient.CallAsync(_client, new(_host.RpcAddress, "ModelInfer"), body, headers);

    // A valid request of this size, with an unknown field as padding.
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
        // A varint of five bytes, whatever its value.
        output.Flush();
        rest -= (int)head.Length + 5;
        byte[] length = [(byte)(rest | 0x80), (byte)((rest >> 7) | 0x80), (byte)((rest >> 14) | 0x80), (byte)((rest >> 21) | 0x80), (byte)(rest >> 28)];
        byte[] message = [.. request, .. head.ToArray(), .. length, .. new byte[rest]];
        Assert.Equal(size, message.Length);
        return message;
    }
}
