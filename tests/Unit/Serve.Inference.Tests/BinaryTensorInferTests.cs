using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;

namespace Serve.Inference.Tests;

/// <summary>The binary tensor data extension.</summary>
public sealed class BinaryTensorInferTests : IAsyncLifetime, IDisposable
{
    private readonly FakeOnnxModel _model = new("m.onnx", FakeOnnxModel.Spec("flag", TensorType.Bool, -1), FakeOnnxModel.Spec("x", TensorType.Float64, -1), FakeOnnxModel.Spec("text", TensorType.String, -1));
    private ModelServerTestHost _host = null!;

    public async Task InitializeAsync() => _host = await ModelServerTestHost.StartAsync(_model);

    public async Task DisposeAsync() => await _host.DisposeAsync();

    public void Dispose() => _model.Dispose();

    [Fact]
    public async Task Infer_MixedJsonAndBinary_ReadsBoth()
    {
        // Three bytes precede the doubles, which are therefore not aligned.
        const string Json = """
            {"id":"7","inputs":[{"name":"flag","shape":[3],"datatype":"BOOL","parameters":{"binary_data_size":3}},
            {"name":"text","shape":[2],"datatype":"BYTES","data":["a","ü"]},
            {"name":"x","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}}]}
            """;
        using var response = await _host.SendBinaryAsync(Json, [1, 0, 1, .. Bytes(0.1, double.NegativeInfinity)]);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains("output 'x_out': element 1 is -Infinity", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);

        using var finite = await _host.SendBinaryAsync(Json, [1, 0, 1, .. Bytes(0.1, -2)]);
        var answer = JsonNode.Parse(await finite.Content.ReadAsStringAsync())!;
        Assert.Equal("""[[true,false,true],[0.1,-2],["a","ü"]]""", new JsonArray([.. Ordered(answer, "flag_out", "x_out", "text_out")]).ToJsonString(
            new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
    }

    [Fact]
    public async Task Infer_BinaryOutputs_FollowJsonInOrder()
    {
        const string Json = """
            {"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[2],"datatype":"FP64","parameters":{"binary_data_size":16}},
            {"name":"flag","shape":[1],"datatype":"BOOL","data":[true]},{"name":"text","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":10}}],
            "outputs":[{"name":"text_out"},{"name":"flag_out","parameters":{"binary_data":false}},{"name":"x_out"}]}
            """;
        byte[] texts = [2, 0, 0, 0, .. "ü"u8, 0, 0, 0, 0];
        using var response = await _host.SendBinaryAsync(Json, [.. Bytes(double.NaN, 1.5), .. texts]);

        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
        var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
        var outputs = JsonNode.Parse(body.AsSpan(0, length))!["outputs"]!.AsArray();
        Assert.Equal(["text_out", "flag_out", "x_out"], outputs.Select(output => (string)output!["name"]!));
        Assert.Equal([10, null, 16], outputs.Select(output => (int?)output!["parameters"]?["binary_data_size"]));
        Assert.Equal("[true]", outputs[1]!["data"]!.ToJsonString());
        Assert.Equal([.. texts, .. Bytes(double.NaN, 1.5)], body[length..]);
    }

    [Theory]
    [InlineData(16, 2, "", 15, "input 'x': binary_data_size is 16, but the body has 15 bytes left.")]
    [InlineData(16, 2, "", 17, "The body's binary part has 17 bytes, but the inputs' binary_data_size values add up to 16.")]
    [InlineData(24, 2, "", 24, "input 'x': FP64[2] requires 16 bytes, but has 24.")]
    [InlineData(16, 2, "1000000", 16, "Inference-Header-Content-Length is 1000000 bytes, but the whole body has")]
    [InlineData(16, 2, "-5", 16, "Inference-Header-Content-Length must be the length of the JSON in bytes, but was '-5'.")]
    [InlineData(16, 2, "3", 16, "the request is not valid JSON")]
    public async Task Infer_InconsistentSizes_Returns400(int size, int count, string header, int sent, string expected)
    {
        var json = $$$"""{"inputs":[{"name":"x","shape":[{{{count}}}],"datatype":"FP64","parameters":{"binary_data_size":{{{size}}}}}]}""";
        using var response = await _host.SendBinaryAsync(json, new byte[sent], header.Length == 0 ? null : header);
        await RefusedAsync(response, expected);
    }

    [Theory]
    [InlineData("BOOL", new byte[] { 1, 2 }, "input 'v': BOOL elements must be bytes of 0 and 1, but element 1 was 2.")]
    [InlineData("BYTES", new byte[] { 1, 0, 0, 0, 65 }, "input 'v': BYTES[2] has 2 strings, each prefixed with a 4-byte length, but the data has 5 bytes.")]
    [InlineData("BYTES", new byte[] { 4, 0, 0, 0, 65, 66, 67, 68 }, "input 'v': BYTES[2] has 2 strings, but the data ends before string 1.")]
    [InlineData("BYTES", new byte[] { 0, 0, 0, 0, 9, 0, 0, 0, 65 }, "input 'v': string 1 declares 9 bytes, but 1 remain.")]
    [InlineData("BYTES", new byte[] { 0, 0, 0, 0, 1, 0, 0, 0, 255 }, "input 'v': string 1 is not valid UTF-8.")]
    [InlineData("BYTES", new byte[] { 0, 0, 0, 0, 0, 0, 0, 0, 7 }, "input 'v': BYTES[2] has 2 strings, but 1 bytes remain after them.")]
    public async Task Infer_InvalidElementBytes_Returns400(string datatype, byte[] bytes, string expected)
    {
        var json = $$$"""{"inputs":[{"name":"v","shape":[2],"datatype":"{{{datatype}}}","parameters":{"binary_data_size":{{{bytes.Length}}}}}]}""";
        using var response = await _host.SendBinaryAsync(json, bytes);
        await RefusedAsync(response, expected);
    }

    [Fact]
    public async Task Infer_EveryDatatype_ReturnsItsBytes()
    {
        await using var all = await ModelServerTestHost.StartAsync(FakeOnnxModel.OfAllTypes());
        var inputs = new List<string>();
        var binary = new List<byte>();
        foreach (var type in Enum.GetValues<TensorType>())
        {
            byte[] bytes = type == TensorType.String ? [1, 0, 0, 0, 65] : [.. Enumerable.Range(0, TensorTypes.SizeOf(type)).Select(each => (byte)(type == TensorType.Bool ? 1 : each + 1))];
            inputs.Add($$$"""{"name":"{{{TensorTypes.NameOf(type)}}}","shape":[1],"datatype":"{{{TensorTypes.NameOf(type)}}}","parameters":{"binary_data_size":{{{bytes.Length}}}}}""");
            binary.AddRange(bytes);
        }

        using var response = await all.SendBinaryAsync($$"""{"parameters":{"binary_data_output":true},"inputs":[{{string.Join(",", inputs)}}]}""", [.. binary]);

        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
        Assert.Equal(binary, body[length..]);
    }

    private async Task RefusedAsync(HttpResponseMessage response, string expected)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, text);
        Assert.Contains(expected, (string)JsonNode.Parse(text)!["error"]!, StringComparison.Ordinal);
        Assert.Equal(0, _model.Runs);
    }

    private static IEnumerable<JsonNode?> Ordered(JsonNode answer, params string[] names) =>
        names.Select(name => answer["outputs"]!.AsArray().Single(output => (string)output!["name"]! == name)!["data"]!.DeepClone());

    private static byte[] Bytes(params double[] values) => MemoryMarshal.AsBytes<double>(values).ToArray();
}
