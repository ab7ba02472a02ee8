using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;
using Inference;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>Corrupted requests: each one fails with an error message, and the replica serves the next request. Deterministic.</summary>
[Collection(InferenceTestCollection.Name)]
public sealed class MalformedRequestTests(InferenceTestNode node)
{
    private const int Rounds = 250;
    private static readonly string[] Lengths = ["-1", "0", "1", "2147483647", "2147483648", "9223372036854775808", "1e3", "0x10", "abc", " ", "12,12", "+5", "5.0"];
    private static readonly string[] Sizes = ["0", "1", "-1", "2147483647", "4294967296", "9223372036854775807", "9223372036854775808", "1.5", "\"8\"", "null", "[]", "true"];
    private static readonly string[] Shapes =
        ["[]", "[0]", "[1]", "[3]", "[-1]", "[-2]", "[1,2]", "[2,0]", "[4294967296,4294967296]", "[9223372036854775807]", "[9223372036854775807,2]", "[2147483647,2147483647,2]", "[1.5]", "[[2]]", "2", "null"];

    private static readonly long[][] RpcShapes = [[], [0], [1], [3], [-1], [1, 2], [long.MaxValue], [long.MinValue, 2], [1L << 32, 1L << 32]];

    [Fact]
    public async Task Infer_CorruptedBody_Returns400()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var json = InferenceSamples.DigitsRequest.ToCharArray();
            for (var change = random.Next(4); change >= 0; change--)
                json[random.Next(json.Length)] = "{}[],:\"0-9e"[random.Next(11)];
            using var content = new StringContent(new(json, 0, random.Next(json.Length)));
            using var response = await node.Http.PostAsync("/v2/models/digits/infer", content);
            Assert.True(response.StatusCode is HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {new string(json)}");
        }

        await node.PostAsync("/v2/models/digits/infer", InferenceSamples.DigitsRequest);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Infer_InconsistentBinaryPart_ReturnsClientError(int seed)
    {
        var random = new Random(seed);
        var answered = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var (json, binary, header) = (InferenceSamples.Request(binary: true, random.Next(2) == 0), InferenceSamples.Binary(), (string?)null);
            var what = new StringBuilder($"round {round}:");
            for (var change = random.Next(3); change >= 0; change--)
                Change(random, ref json, ref binary, ref header, what);
            using var response = await SendAsync(random, json, binary, header, what);
            var body = await response.Content.ReadAsByteArrayAsync();
            if (response.StatusCode == HttpStatusCode.OK)
            {
                answered++;
                continue;
            }

            var text = Encoding.UTF8.GetString(body);
            Assert.True(response.StatusCode is HttpStatusCode.BadRequest or HttpStatusCode.NotFound or HttpStatusCode.RequestEntityTooLarge, $"{what} {(int)response.StatusCode}: {text}");
            Assert.True(JsonNode.Parse(text)!["error"] is JsonValue error && ((string)error!).Length > 0, $"{what} {text}");
        }

        // Some requests are accepted and some refused, so the changes reach more than the first check.
        Assert.InRange(answered, 1, Rounds / 2);
        await IsWellAsync();
    }

    [Fact]
    public async Task Infer_ManyTensors_ReturnsBadRequest()
    {
        foreach (var (count, size) in new[] { (5_000, 0), (5_000, 2), (20_000, 1) })
        {
            var inputs = string.Join(",", Enumerable.Range(0, count).Select(each => $$$"""{"name":"in_{{{each}}}","shape":[{{{size}}}],"datatype":"UINT8","parameters":{"binary_data_size":{{{size}}}}}"""));
            using var response = await SendAsync(null, $$"""{"inputs":[{{inputs}}]}""", new byte[count * size], null, new());
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Contains("The model has no input 'in_0'", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        await IsWellAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task ModelInfer_InconsistentRawContents_ReturnsClientError(int seed)
    {
        var random = new Random(seed);
        var answered = 0;
        for (var round = 0; round < Rounds; round++)
        {
            var message = Changed(random, out var what);
            try
            {
                await RawInferAsync(message);
                answered++;
            }
            catch (RpcException error)
            {
                Assert.True(
                    error.StatusCode is StatusCode.InvalidArgument or StatusCode.NotFound or StatusCode.ResourceExhausted && error.Status.Detail.Length > 0, $"round {round}: {what} {error.Status}");
            }
        }

        Assert.InRange(answered, 1, Rounds / 2);
        await IsWellAsync();
    }

    [Fact]
    public async Task ModelStreamInfer_InconsistentRawContents_StreamContinues()
    {
        var random = new Random(3);
        using var call = RawStream();
        for (var round = 0; round < Rounds; round++)
        {
            // The first message selects the model of the stream.
            var message = round == 0 ? InferenceSamples.Raw().ToByteArray() : Changed(random, out _);
            await call.RequestStream.WriteAsync(message);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            var answer = ModelStreamInferResponse.Parser.ParseFrom(call.ResponseStream.Current);
            Assert.True(answer.InferResponse.Outputs.Count > 0 ^ answer.ErrorMessage.Length > 0, $"round {round}: {answer}");
        }

        await call.RequestStream.WriteAsync(InferenceSamples.Raw().ToByteArray());
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.Empty(ModelStreamInferResponse.Parser.ParseFrom(call.ResponseStream.Current).ErrorMessage);
        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }

    private static void Change(Random random, ref string json, ref byte[] binary, ref string? header, StringBuilder what)
    {
        var length = Encoding.UTF8.GetByteCount(json);
        switch (random.Next(9))
        {
            case 0:
                header = Lengths[random.Next(Lengths.Length)];
                what.Append(CultureInfo.InvariantCulture, $" header length '{header}'");
                break;
            case 1:
                header = (length + random.Next(-3, 4)).ToString(CultureInfo.InvariantCulture);
                what.Append(CultureInfo.InvariantCulture, $" header length {header} of {length}");
                break;
            case 2:
                binary = binary[..random.Next(binary.Length + 1)];
                what.Append(CultureInfo.InvariantCulture, $" cut to {binary.Length}");
                break;
            case 3:
                binary = [.. binary, .. new byte[random.Next(1, 100)]];
                what.Append(CultureInfo.InvariantCulture, $" longer, {binary.Length}");
                break;
            case 4:
                json = Replace(random, json, "\"binary_data_size\":", Sizes, what);
                break;
            case 5:
                json = Replace(random, json, "\"shape\":", Shapes, what);
                break;
            case 6:
                json = Replace(random, json, "\"datatype\":", ["\"BYTES\"", "\"FP64\"", "\"UINT8\"", "\"fp32\"", "null", "7"], what);
                break;
            case 7:
                // The string lengths are in the last two groups of four bytes.
                var at = binary.Length - random.Next(1, 20);
                if (at >= 0 && at < binary.Length)
                    (binary = [.. binary])[at] = (byte)random.Next(256);
                what.Append(CultureInfo.InvariantCulture, $" byte {at}");
                break;
            default:
                var chars = json.ToCharArray();
                chars[random.Next(chars.Length)] = "{}[],:\"0-9e\\"[random.Next(12)];
                json = new(chars);
                what.Append(" json");
                break;
        }
    }

    // Replaces the value of one occurrence of a key.
    private static string Replace(Random random, string json, string key, string[] values, StringBuilder what)
    {
        var places = json.Split(key);
        if (places.Length < 2)
            return json;
        var index = random.Next(1, places.Length);
        var (value, end) = (values[random.Next(values.Length)], places[index].IndexOfAny([',', '}']));
        if (end < 0)
            return json;
        what.Append(CultureInfo.InvariantCulture, $" {key}{value} at {index}");
        places[index] = value + places[index][end..];
        return string.Join(key, places);
    }

    // Randomly with or without a length, plain, compressed or corrupted.
    private async Task<HttpResponseMessage> SendAsync(Random? random, string json, byte[] binary, string? header, StringBuilder what)
    {
        var head = Encoding.UTF8.GetBytes(json);
        byte[] body = [.. head, .. binary];
        var isCompressed = random?.Next(4) == 0;
        if (isCompressed)
        {
            using var compressed = new MemoryStream();
            await using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
                await gzip.WriteAsync(body);
            body = compressed.ToArray();
            if (random!.Next(2) == 0)
                body[random.Next(body.Length)] ^= (byte)(1 << random.Next(8));
            what.Append(" gzip");
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/types/infer") { Content = new ByteArrayContent(body) };
        if (isCompressed)
            request.Content.Headers.ContentEncoding.Add("gzip");
        request.Content.Headers.TryAddWithoutValidation("Inference-Header-Content-Length", header ?? head.Length.ToString(CultureInfo.InvariantCulture));
        request.Headers.TransferEncodingChunked = random?.Next(3) == 0;
        return await node.Http.SendAsync(request);
    }

    private static byte[] Changed(Random random, out string what)
    {
        var request = InferenceSamples.Raw();
        var index = random.Next(request.Inputs.Count);
        var input = request.Inputs[index];
        var raw = request.RawInputContents[index].ToByteArray();
        what = $"input {index}";
        switch (random.Next(8))
        {
            case 0:
                request.RawInputContents[index] = ByteString.CopyFrom(raw.AsSpan(0, random.Next(raw.Length)));
                break;
            case 1:
                request.RawInputContents[index] = ByteString.CopyFrom([.. raw, .. new byte[random.Next(1, 100)]]);
                break;
            case 2:
                request.RawInputContents.RemoveAt(index);
                break;
            case 3:
                request.RawInputContents.Add(ByteString.CopyFrom(raw));
                break;
            case 4:
                input.Shape.Clear();
                input.Shape.AddRange(RpcShapes[random.Next(RpcShapes.Length)]);
                break;
            case 5:
                input.Datatype = InferenceSamples.All[random.Next(InferenceSamples.All.Length)].Datatype;
                break;
            case 6:
                // Changes the length of a string or an element.
                index = random.Next(2) == 0 ? request.Inputs.Count - 1 : index;
                raw = request.RawInputContents[index].ToByteArray();
                raw[random.Next(raw.Length)] = (byte)random.Next(256);
                request.RawInputContents[index] = ByteString.CopyFrom(raw);
                break;
            default:
                var message = request.ToByteArray();
                for (var change = random.Next(3); change >= 0; change--)
                    message[random.Next(message.Length)] = (byte)random.Next(256);
                what = "bytes";
                return message[..(random.Next(2) == 0 ? message.Length : random.Next(message.Length + 1))];
        }

        return request.ToByteArray();
    }

    private async Task IsWellAsync()
    {
        foreach (var isBinary in new[] { true, false })
        {
            var (_, binary) = await node.PostBinaryAsync("/v2/models/types/infer", InferenceSamples.Request(isBinary, binaryOutput: true), isBinary ? InferenceSamples.Binary() : []);
            Assert.Equal(InferenceSamples.Binary(), binary);
        }

        Assert.Equal(InferenceSamples.Raw().RawInputContents, (await node.Rpc.ModelInferAsync(InferenceSamples.Raw())).RawOutputContents);
    }

    private async Task<byte[]> RawInferAsync(byte[] message) => await node.Invoker.AsyncUnaryCall(Method("ModelInfer", MethodType.Unary), null, default, message);

    private AsyncDuplexStreamingCall<byte[], byte[]> RawStream() => node.Invoker.AsyncDuplexStreamingCall(Method("ModelStreamInfer", MethodType.DuplexStreaming), null, default);

    private static Method<byte[], byte[]> Method(string name, MethodType type)
    {
        var marshaller = Marshallers.Create(static bytes => bytes, static bytes => bytes);
        return new(type, "inference.GRPCInferenceService", name, marshaller, marshaller);
    }
}
