using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Serve.Inference.Rest;

namespace Serve.Inference.Tests;

/// <summary>Request and response bodies with a Content-Encoding.</summary>
public sealed class CompressedRestInferTests : IAsyncLifetime, IDisposable
{
    private const int Limit = 100_000;
    private const string Json = """{"inputs":[{"name":"x","shape":[3],"datatype":"INT32","data":[1,2,3]}]}""";

    private readonly FakeOnnxModel _model = new("m.onnx", FakeOnnxModel.Spec("x", TensorType.Int32, -1));
    private ModelServerTestHost _host = null!;

    public async Task InitializeAsync() => _host = await ModelServerTestHost.StartAsync(_model, Limit);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose() => _model.Dispose();

    [Theory]
    [InlineData("gzip")]
    [InlineData("GZip")]
    [InlineData("x-gzip")]
    [InlineData("deflate")]
    [InlineData("Deflate")]
    [InlineData("identity")]
    [InlineData("")]
    public async Task Json_Compressed_IsDecompressed(string coding)
    {
        using var response = await SendAsync(Encoding.UTF8.GetBytes(Json), coding);
        Assert.Equal("[1,2,3]", JsonNode.Parse(await ReadAsync(response, HttpStatusCode.OK))!["outputs"]![0]!["data"]!.ToJsonString());
        Assert.Empty(response.Content.Headers.ContentEncoding);
    }

    // Larger than the initial buffer. The header has the length of the uncompressed JSON.
    [Theory]
    [InlineData("gzip", 3)]
    [InlineData("deflate", 3)]
    [InlineData("gzip", 20_000)]
    [InlineData("deflate", 20_000)]
    public async Task Binary_Compressed_IsDecompressed(string coding, int count)
    {
        byte[] tensor = [.. Enumerable.Range(0, count * 4).Select(each => (byte)(each * 7))];
        var json = Encoding.UTF8.GetBytes($$$"""
            {"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[{{{count}}}],"datatype":"INT32","parameters":{"binary_data_size":{{{tensor.Length}}}}}]}
            """);
        using var response = await SendAsync([.. json, .. tensor], coding, json.Length);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        Assert.Equal(tensor, body[int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture)..]);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task RawBinary_Compressed_InfersShapeFromDecompressedLength(string coding)
    {
        using var response = await SendAsync([1, 0, 0, 0, 2, 0, 0, 0], coding, headerLength: 0);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        Assert.Equal([1, 0, 0, 0, 2, 0, 0, 0], body[^8..]);
    }

    [Theory]
    [InlineData("gzip", 0, HttpStatusCode.OK)]
    [InlineData("gzip", 1, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("deflate", 0, HttpStatusCode.OK)]
    [InlineData("deflate", 1, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("gzip", 100 * Limit, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData("", 1, HttpStatusCode.RequestEntityTooLarge)]
    public async Task Body_DecompressedSizeOverLimit_Returns413(string coding, int over, HttpStatusCode expected)
    {
        using var response = await SendAsync(Encoding.UTF8.GetBytes(Json.PadRight(Limit + over)), coding);
        var text = await ReadAsync(response, expected);
        if (expected != HttpStatusCode.OK)
            Assert.Contains($"{Limit} bytes", (string)JsonNode.Parse(text)!["error"]!, StringComparison.Ordinal);
        await _host.InferAsync(Json);
    }

    [Theory]
    [InlineData("br", "'br'")]
    [InlineData("zstd", "'zstd'")]
    [InlineData("gzip, deflate", "'gzip, deflate'")]
    [InlineData("gzip,gzip", "'gzip,gzip'")]
    public async Task Encoding_Unknown_Returns415(string coding, string named)
    {
        using var response = await SendAsync(Encoding.UTF8.GetBytes(Json), coding);
        Assert.Equal($"Content-Encoding {named} is not supported. Supported: gzip, deflate.", Error(await ReadAsync(response, HttpStatusCode.UnsupportedMediaType)));
        Assert.Equal("gzip, deflate", response.Headers.GetValues("Accept-Encoding").Single());
    }

    [Theory]
    [InlineData("gzip", "deflate")]
    [InlineData("deflate", "gzip")]
    [InlineData("", "gzip")]
    [InlineData("", "deflate")]
    public async Task Body_OtherEncoding_Returns400(string coding, string said)
    {
        using var response = await SendAsync(Compress(Encoding.UTF8.GetBytes(Json), coding), said, compress: false);
        Assert.StartsWith($"The request body is not valid for its Content-Encoding, {said}: ", Error(await ReadAsync(response, HttpStatusCode.BadRequest)), StringComparison.Ordinal);
        Assert.Equal(0, _model.Runs);
    }

    // The received part may be a valid request: complete JSON, or a shorter raw tensor.
    [Theory]
    [InlineData("gzip", null)]
    [InlineData("deflate", null)]
    [InlineData("gzip", 0)]
    [InlineData("deflate", 0)]
    public async Task Body_Truncated_Returns400(string coding, int? headerLength)
    {
        var whole = Compress(headerLength is 0 ? [.. Enumerable.Range(0, 40).Select(each => (byte)each)] : Encoding.UTF8.GetBytes(Json), coding);
        for (var length = 0; length < whole.Length; length++)
        {
            using var response = await SendAsync(whole[..length], coding, headerLength, compress: false);
            Assert.Equal(
                $"The request body is not valid for its Content-Encoding, {coding}: {length} bytes came, and the compressed data do not end with them.", Error(await ReadAsync(response, HttpStatusCode.BadRequest)));
        }

        Assert.Equal(0, _model.Runs);
        await _host.InferAsync(Json);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Binary_Truncated_Returns400(string coding)
    {
        var json = Encoding.UTF8.GetBytes("""{"inputs":[{"name":"x","shape":[2],"datatype":"INT32","parameters":{"binary_data_size":8}}]}""");
        var whole = Compress([.. json, 1, 0, 0, 0, 2, 0, 0, 0], coding);
        for (var length = 0; length < whole.Length; length++)
        {
            using var response = await SendAsync(whole[..length], coding, json.Length, compress: false);
            Assert.Contains($"{length} bytes came", Error(await ReadAsync(response, HttpStatusCode.BadRequest)), StringComparison.Ordinal);
        }

        Assert.Equal(0, _model.Runs);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HeaderLength_ExceedsDecompressedBody_Returns400(bool isCompressed)
    {
        using var response = await SendAsync(Encoding.UTF8.GetBytes(Json), isCompressed ? "gzip" : "", Json.Length + 1);
        Assert.Equal(
            $"Inference-Header-Content-Length is {Json.Length + 1} bytes, but the whole body has {Json.Length}.", Error(await ReadAsync(response, HttpStatusCode.BadRequest)));
    }

    [Theory]
    [InlineData("gzip", "gzip", false)]
    [InlineData("gzip", "gzip", true)]
    [InlineData("deflate", "deflate", false)]
    [InlineData("deflate", "deflate", true)]
    [InlineData("br, gzip;q=0.5, deflate;q=0.8", "deflate", false)]
    [InlineData("gzip, deflate, br", "gzip", true)]
    [InlineData("*", "gzip", false)]
    [InlineData("", "", false)]
    [InlineData("identity", "", true)]
    [InlineData("br, zstd", "", false)]
    [InlineData("gzip;q=0", "", true)]
    [InlineData("identity, gzip;q=0.5", "", false)]
    public async Task Response_Large_HasAcceptedEncoding(string asked, string coding, bool isBinary)
    {
        const int Count = 2000;
        using var plain = await AskAsync(Count, "", isBinary);
        using var response = await AskAsync(Count, asked, isBinary);
        Assert.Equal(coding.Length == 0 ? [] : [coding], response.Content.Headers.ContentEncoding);
        var (sent, whole) = (await response.Content.ReadAsByteArrayAsync(), await plain.Content.ReadAsByteArrayAsync());
        Assert.Equal(whole, Decompress(sent, coding));
        if (coding.Length > 0)
            Assert.InRange(sent.Length, 1, whole.Length / 2);
        // The header refers to the uncompressed body.
        Assert.Equal(plain.Headers.TryGetValues("Inference-Header-Content-Length", out var before), response.Headers.TryGetValues("Inference-Header-Content-Length", out var after));
        Assert.Equal(before, after);
        Assert.Equal(isBinary, after is not null);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Response_Small_IsNotCompressed(bool isBinary)
    {
        using var response = await AskAsync(3, "gzip", isBinary);
        Assert.Empty(response.Content.Headers.ContentEncoding);
        Assert.Equal(response.Content.Headers.ContentLength, (await response.Content.ReadAsByteArrayAsync()).Length);
    }

    [Fact]
    public async Task Response_BehindTlsProxy_IsCompressed()
    {
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { Request = { Scheme = "https", Headers = { AcceptEncoding = "gzip" } }, Response = { Body = body } };
        await ResponseContentEncoder.WriteAsync(context, async context =>
        {
            (context.Response.ContentType, context.Response.ContentLength) = ("application/json", 2000);
            await context.Response.Body.WriteAsync(new byte[2000]);
        });
        Assert.Equal("gzip", context.Response.Headers.ContentEncoding);
    }

    [Fact]
    public async Task Response_Error_IsNotCompressedAndTheNextIs()
    {
        using var wrong = new HttpRequestMessage(HttpMethod.Post, ModelServerTestHost.Prefix + "/infer") { Content = new StringContent($$"""{"inputs":[{"name":"{{new string('n', 3000)}}","shape":[1],"datatype":"INT32","data":[1]}]}""") };
        wrong.Headers.AcceptEncoding.ParseAdd("gzip");
        using var refused = await _host.Client.SendAsync(wrong);
        Assert.StartsWith("The model has no input 'nnn", Error(await ReadAsync(refused, HttpStatusCode.BadRequest)), StringComparison.Ordinal);
        Assert.Empty(refused.Content.Headers.ContentEncoding);
        using var response = await AskAsync(2000, "gzip", isBinary: false);
        Assert.Equal(["gzip"], response.Content.Headers.ContentEncoding);
    }

    private async Task<HttpResponseMessage> AskAsync(int count, string asked, bool isBinary)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, ModelServerTestHost.Prefix + "/infer")
        {
            Content = new StringContent($$$"""
                {"parameters":{"binary_data_output":{{{(isBinary ? "true" : "false")}}}},"inputs":[{"name":"x","shape":[{{{count}}}],"datatype":"INT32","data":[{{{string.Join(',', Enumerable.Range(0, count).Select(each => each % 7))}}}]}]}
                """),
        };
        if (asked.Length > 0)
            request.Headers.TryAddWithoutValidation("Accept-Encoding", asked);
        var response = await _host.Client.SendAsync(request);
        Assert.True(response.StatusCode == HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        return response;
    }

    private static byte[] Decompress(byte[] body, string coding)
    {
        using var source = new MemoryStream(body);
        using Stream stream = coding switch
        {
            "gzip" => new GZipStream(source, CompressionMode.Decompress),
            "deflate" => new ZLibStream(source, CompressionMode.Decompress),
            _ => source,
        };
        using var whole = new MemoryStream();
        stream.CopyTo(whole);
        return whole.ToArray();
    }

    private static byte[] Compress(byte[] body, string coding)
    {
        using var compressed = new MemoryStream();
        using (Stream stream = coding.ToLowerInvariant() switch
        {
            "gzip" or "x-gzip" => new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true),
            _ => compressed,
        })
        {
            stream.Write(body);
        }

        return compressed.ToArray();
    }

    private Task<HttpResponseMessage> SendAsync(byte[] body, string coding, int? headerLength = null, bool compress = true)
    {
        var content = new ByteArrayContent(compress ? Compress(body, coding) : body);
        if (coding.Length > 0)
            content.Headers.TryAddWithoutValidation("Content-Encoding", coding);
        if (headerLength is { } length)
            content.Headers.Add("Inference-Header-Content-Length", length.ToString(CultureInfo.InvariantCulture));
        return _host.Client.PostAsync(ModelServerTestHost.Prefix + "/infer", content);
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode}: {text}");
        return text;
    }

    private static string Error(string text) => (string)JsonNode.Parse(text)!["error"]!;
}
