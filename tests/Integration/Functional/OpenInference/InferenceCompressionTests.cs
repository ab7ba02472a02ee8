using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Google.Protobuf;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>Compressed requests and responses through the gateway, which forwards them unchanged, and its limit of decompressed requests.</summary>
[Collection(InferenceTestCollection.Name)]
public sealed class InferenceCompressionTests(InferenceTestNode node)
{
    private const int Limit = 30_000_000;

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Rest_JsonAndBinary_AreDecompressed(string coding)
    {
        using var json = await SendAsync(Encoding.UTF8.GetBytes(InferenceSamples.DigitsRequest), coding);
        Assert.Equal("[3]", JsonNode.Parse(await ReadAsync(json, HttpStatusCode.OK))!["outputs"]![0]!["data"]!.ToJsonString());

        var head = Encoding.UTF8.GetBytes("""{"inputs":[{"name":"pixels","shape":[1,64],"datatype":"FP32","parameters":{"binary_data_size":256}}]}""");
        byte[] pixels = [.. JsonNode.Parse(InferenceSamples.Three)!.AsArray().SelectMany(value => BitConverter.GetBytes((float)value!))];
        using var binary = await SendAsync([.. head, .. pixels], coding, head.Length);
        Assert.Equal("[3]", JsonNode.Parse(await ReadAsync(binary, HttpStatusCode.OK))!["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    public async Task Rest_DecompressedSizeOverLimit_Returns413(string coding)
    {
        using var response = await SendAsync(new byte[Limit + 1], coding);
        Assert.Equal(
            $"The request body is larger than {Limit} bytes (http_options.max_request_body_bytes).",
            (string)JsonNode.Parse(await ReadAsync(response, HttpStatusCode.RequestEntityTooLarge))!["error"]!);
        await node.PostAsync("/v2/models/digits/infer", InferenceSamples.DigitsRequest);
    }

    [Theory]
    [InlineData("gzip", false)]
    [InlineData("gzip", true)]
    [InlineData("deflate", false)]
    [InlineData("deflate", true)]
    public async Task Rest_AcceptEncoding_CompressesResponse(string coding, bool isBinary)
    {
        var asked = JsonNode.Parse($$"""
            {"parameters":{"binary_data_output":{{(isBinary ? "true" : "false")}}},"outputs":[{"name":"probabilities"}],"inputs":[{"name":"pixels","shape":[100,64],"datatype":"FP32"}]}
            """)!;
        asked["inputs"]![0]!["data"] = new JsonArray([.. Enumerable.Range(0, 100).Select(_ => JsonNode.Parse(InferenceSamples.Three))]);
        using var plain = await node.Http.PostAsync("/v2/models/digits/infer", new StringContent(asked.ToJsonString()));
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v2/models/digits/infer") { Content = new StringContent(asked.ToJsonString()) };
        request.Headers.AcceptEncoding.ParseAdd(coding);
        using var response = await node.Http.SendAsync(request);
        Assert.Equal([coding], response.Content.Headers.ContentEncoding);
        await using var sent = await response.Content.ReadAsStreamAsync();
        await using Stream content = coding == "gzip" ? new GZipStream(sent, CompressionMode.Decompress) : new ZLibStream(sent, CompressionMode.Decompress);
        using var whole = new MemoryStream();
        await content.CopyToAsync(whole);
        Assert.Equal(await plain.Content.ReadAsByteArrayAsync(), whole.ToArray());
        if (isBinary)
            Assert.Equal(plain.Headers.GetValues("Inference-Header-Content-Length"), response.Headers.GetValues("Inference-Header-Content-Length"));
    }

    [Fact]
    public async Task Rest_UnknownEncoding_Returns415()
    {
        using var response = await SendAsync([0], "br");
        Assert.Contains("'br' is not supported. Supported: gzip, deflate.", await ReadAsync(response, HttpStatusCode.UnsupportedMediaType), StringComparison.Ordinal);
        Assert.Equal("gzip, deflate", response.Headers.GetValues("Accept-Encoding").Single());
    }

    [Fact]
    public async Task Grpc_DecompressedSizeOverLimit_ResourceExhausted()
    {
        var request = InferenceSamples.Digits();
        request.RawInputContents.Add(ByteString.CopyFrom(new byte[Limit]));
        var error = await Assert.ThrowsAsync<RpcException>(async () => await node.Rpc.ModelInferAsync(request, new Metadata { { "grpc-internal-encoding-request", "gzip" } }));
        Assert.True(error.StatusCode == StatusCode.ResourceExhausted && error.Status.Detail.Contains($"larger than {Limit} bytes", StringComparison.Ordinal), error.ToString());
        Assert.Equal([3L], (await node.Rpc.ModelInferAsync(InferenceSamples.Digits())).Outputs[0].Contents.Int64Contents);
    }

    [Fact]
    public async Task Grpc_StreamOverLimit_ServesEachMessage()
    {
        using var call = node.Rpc.ModelStreamInfer();
        var request = InferenceSamples.Digits();
        request.Parameters["padding"] = new() { StringParam = new('x', Limit / 3) };
        for (var sent = 0; sent < 4; sent++)
        {
            await call.RequestStream.WriteAsync(request);
            Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
            Assert.Empty(call.ResponseStream.Current.ErrorMessage);
        }

        await call.RequestStream.CompleteAsync();
        Assert.False(await call.ResponseStream.MoveNext(CancellationToken.None));
    }

    [Fact]
    public async Task Grpc_StreamMessageOverLimit_ResourceExhausted()
    {
        using var call = node.Rpc.ModelStreamInfer();
        var request = InferenceSamples.Digits();
        await call.RequestStream.WriteAsync(request);
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None));
        request.Parameters["padding"] = new() { StringParam = new('x', Limit) };
        // The response may arrive before the message has been sent.
        _ = call.RequestStream.WriteAsync(request).ContinueWith(static sent => sent.Exception, TaskScheduler.Default);
        var error = await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None));
        Assert.True(error.StatusCode == StatusCode.ResourceExhausted, error.ToString());
    }

    private async Task<HttpResponseMessage> SendAsync(byte[] body, string coding, int? headerLength = null)
    {
        using var compressed = new MemoryStream();
        await using (Stream stream = coding == "gzip" ? new GZipStream(compressed, CompressionLevel.Fastest, leaveOpen: true) : new ZLibStream(compressed, CompressionLevel.Fastest, leaveOpen: true))
            await stream.WriteAsync(body);
        using var content = new ByteArrayContent(compressed.ToArray());
        content.Headers.ContentEncoding.Add(coding);
        if (headerLength is { } length)
            content.Headers.Add("Inference-Header-Content-Length", length.ToString(CultureInfo.InvariantCulture));
        return await node.Http.PostAsync("/v2/models/digits/infer", content);
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, HttpStatusCode expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == expected, $"{(int)response.StatusCode}: {text}");
        return text;
    }
}
