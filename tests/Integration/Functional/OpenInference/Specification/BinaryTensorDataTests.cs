using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Triton's extension_binary_data.md: "Binary Tensor Request" and "Raw Binary Request". REST only.</summary>
public sealed class BinaryTensorDataTests(InferenceTestNode node) : SpecificationChapter(node)
{
    private static readonly byte[] ThreeAsBytes = [.. JsonNode.Parse(InferenceSamples.Three)!.AsArray().SelectMany(value => BitConverter.GetBytes((float)value!))];

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task EveryDatatype_BinaryData_IsLittleEndianInOrder(bool input, bool output)
    {
        var (json, binary) = await Node.PostBinaryAsync("/v2/models/types/infer", InferenceSamples.Request(input, output), input ? InferenceSamples.Binary() : []);
        var rest = binary.AsSpan();
        foreach (var each in json["outputs"]!.AsArray())
        {
            var sample = InferenceSamples.All.Single(sample => sample.Datatype == (string)each!["datatype"]!);
            if (!output)
            {
                Assert.True(JsonNode.DeepEquals(JsonNode.Parse(sample.Json), each!["data"]), each.ToJsonString());
                continue;
            }

            Assert.Null(each!["data"]);
            var size = (int)each["parameters"]!["binary_data_size"]!;
            Assert.Equal(sample.Bytes, rest[..size].ToArray());
            rest = rest[size..];
        }

        Assert.True(rest.IsEmpty);
    }

    [Fact]
    public async Task Bool_OtherThanZeroOrOne_Returns400() =>
        await RefusedAsync("""{"inputs":[{"name":"in_bool","shape":[2],"datatype":"BOOL","parameters":{"binary_data_size":2}}]}""", [1, 2], "input 'in_bool': BOOL elements must be bytes of 0 and 1, but element 1 was 2.", "types");

    [Fact]
    public async Task BinaryDataSize_Mismatch_Returns400() =>
        await RefusedAsync(Request(255), ThreeAsBytes, "input 'pixels': FP32[1,64] requires 256 bytes, but has 255.");

    [Theory]
    [InlineData("", false)]
    [InlineData(""","parameters":{"binary_data":false}""", false)]
    [InlineData(""","parameters":{"binary_data":true}""", true)]
    public async Task BinaryData_NotGiven_IsFalse(string parameters, bool isBinary)
    {
        var (json, binary) = await AskAsync(""", "outputs":[{"name":"label"PARAMETERS}]""".Replace("PARAMETERS", parameters, StringComparison.Ordinal));
        Assert.Equal(isBinary ? null : "[3]", json["outputs"]![0]!["data"]?.ToJsonString());
        Assert.Equal(isBinary ? BitConverter.GetBytes(3L) : [], binary);
    }

    [Theory]
    [InlineData("true", "", true, true)]
    [InlineData("false", "", false, false)]
    [InlineData("true", ""","outputs":[{"name":"label","parameters":{"binary_data":false}},{"name":"probabilities"}]""", false, true)]
    [InlineData("false", ""","outputs":[{"name":"label","parameters":{"binary_data":true}},{"name":"probabilities"}]""", true, false)]
    public async Task BinaryDataOutput_Request_IsDefaultOfOutputs(string value, string outputs, bool label, bool probabilities)
    {
        var (json, binary) = await AskAsync($$""","parameters":{"binary_data_output":{{value}}}{{outputs}}""");
        Assert.Equal(label, json["outputs"]![0]!["data"] is null);
        Assert.Equal(probabilities, json["outputs"]![1]!["data"] is null);
        Assert.Equal((label ? 8 : 0) + (probabilities ? 40 : 0), binary.Length);
    }

    [Fact]
    public async Task HeaderLength_Missing_Returns400()
    {
        using var content = new ByteArrayContent([.. Encoding.UTF8.GetBytes(Request(256)), .. ThreeAsBytes]);
        using var response = await Node.Http.PostAsync("/v2/models/digits/infer", content);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task HeaderLength_Response_IsLengthOfJson()
    {
        using var response = await SendAsync(Request(256, """,  "parameters":{"binary_data_output":true}"""), ThreeAsBytes);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.Equal(body.Length, response.Content.Headers.ContentLength);
        Assert.Equal("application/octet-stream", response.Content.Headers.ContentType?.MediaType);
        var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
        Assert.NotNull(JsonNode.Parse(body.AsSpan(0, length)));
        Assert.Equal(48, body.Length - length);
    }

    [Fact]
    public async Task RawBinary_HeaderLengthZero_BodyIsInput()
    {
        using var response = await SendAsync("", ThreeAsBytes);
        var body = await response.Content.ReadAsByteArrayAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, Encoding.UTF8.GetString(body));
        var length = int.Parse(response.Headers.GetValues("Inference-Header-Content-Length").Single(), CultureInfo.InvariantCulture);
        Assert.Equal("""{"name":"label","shape":[1],"datatype":"INT64","parameters":{"binary_data_size":8}}""", JsonNode.Parse(body.AsSpan(0, length))!["outputs"]![0]!.ToJsonString());
        Assert.Equal(BitConverter.GetBytes(3L), body[length..(length + 8)]);
        Assert.Equal(48, body.Length - length);
    }

    [Fact]
    public async Task RawBinary_SeveralInputs_Returns400() => await RefusedAsync("", [0], "requires a model with one input", "text");

    private static string Request(int size, string more = "") =>
        $$$"""{"inputs":[{"name":"pixels","shape":[1,64],"datatype":"FP32","parameters":{"binary_data_size":{{{size}}}}}]{{{more}}}}""";

    private Task<(JsonNode Json, byte[] Binary)> AskAsync(string more) => Node.PostBinaryAsync("/v2/models/digits/infer", Request(256, more), ThreeAsBytes);

    private Task<HttpResponseMessage> SendAsync(string json, byte[] binary, string model = "digits")
    {
        var head = Encoding.UTF8.GetBytes(json);
        var content = new ByteArrayContent([.. head, .. binary]);
        content.Headers.Add("Inference-Header-Content-Length", head.Length.ToString(CultureInfo.InvariantCulture));
        return Node.Http.PostAsync($"/v2/models/{model}/infer", content);
    }

    private async Task RefusedAsync(string json, byte[] binary, string expected, string model = "digits")
    {
        using var response = await SendAsync(json, binary, model);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, text);
        Assert.Contains(expected, (string)JsonNode.Parse(text)!["error"]!, StringComparison.Ordinal);
    }
}
