using System.Net;
using System.Text.Json.Nodes;

namespace Serve.FunctionalTests.OpenInference;

/// <summary>The protocol's REST specification, requirement by requirement, and the binary tensor data extension.</summary>
[Collection(InferenceCollection.Name)]
public sealed class RestTests(InferenceNode node)
{
    [Fact]
    public async Task ServerLive_200() => Assert.True((bool)(await node.GetAsync("/v2/health/live"))["live"]!);

    [Fact]
    public async Task ServerReady_AllModelsAreReady_200() => Assert.True((bool)(await node.GetAsync("/v2/health/ready"))["ready"]!);

    [Theory]
    [InlineData("/v2")]
    [InlineData("/v2/")]
    public async Task ServerMetadata_NameVersionAndExtensions(string path)
    {
        var answer = await node.GetAsync(path);
        Assert.Equal("serve", (string?)answer["name"]);
        Assert.NotEmpty((string)answer["version"]!);
        Assert.Equal("""["binary_tensor_data","model_repository","statistics"]""", answer["extensions"]!.ToJsonString());
    }

    [Theory]
    [InlineData("/v2/models/digits/ready")]
    [InlineData("/v2/models/digits/versions/1/ready")]
    public async Task ModelReady_NameAndReady(string path) =>
        Assert.Equal("""{"name":"digits","ready":true}""", (await node.GetAsync(path)).ToJsonString());

    [Theory]
    [InlineData("/v2/models/digits")]
    [InlineData("/v2/models/digits/versions/1")]
    public async Task ModelMetadata_TensorsVersionsAndPlatform(string path)
    {
        var answer = await node.GetAsync(path);
        Assert.Equal("digits", (string?)answer["name"]);
        Assert.Equal("""["1"]""", answer["versions"]!.ToJsonString());
        Assert.Equal("onnx_onnxv1", (string?)answer["platform"]);
        Assert.Equal("""[{"name":"pixels","datatype":"FP32","shape":[-1,64]}]""", answer["inputs"]!.ToJsonString());
        Assert.Equal(["label", "probabilities"], answer["outputs"]!.AsArray().Select(output => (string)output!["name"]!));
    }

    [Theory]
    [InlineData("GET", "/v2/models/nothing")]
    [InlineData("GET", "/v2/models/nothing/ready")]
    [InlineData("GET", "/v2/models/nothing/versions/1")]
    [InlineData("GET", "/v2/models/nothing/stats")]
    [InlineData("POST", "/v2/models/nothing/infer")]
    [InlineData("POST", "/v2/models/nothing/versions/1/infer")]
    public async Task UnknownModel_404WithError(string method, string path)
    {
        using var request = new HttpRequestMessage(new(method), path);
        using var response = await node.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Contains("There is no model 'nothing'", (string)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["error"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v2/models/digits/versions/9")]
    [InlineData("/v2/models/digits/versions/9/ready")]
    [InlineData("/v2/models/digits/versions/9/stats")]
    public async Task UnknownVersion_404WithError(string path) =>
        Assert.Contains("has no version '9'; it has 1", (string)(await node.GetAsync(path, HttpStatusCode.NotFound))["error"]!, StringComparison.Ordinal);

    [Fact]
    public async Task UnknownPath_404WithError() =>
        Assert.Contains("There is nothing at GET '/v2/nothing'", (string)(await node.GetAsync("/v2/nothing", HttpStatusCode.NotFound))["error"]!, StringComparison.Ordinal);

    [Theory]
    [InlineData("/v2/models/digits/infer")]
    [InlineData("/v2/models/digits/versions/1/infer")]
    public async Task Infer_Digits_AllOutputs(string path)
    {
        var answer = await node.PostAsync(path, Samples.DigitsRequest);
        Assert.Equal("digits 1", $"{answer["model_name"]} {answer["model_version"]}");
        Assert.Equal("""{"name":"label","shape":[1],"datatype":"INT64","data":[3]}""", answer["outputs"]![0]!.ToJsonString());
        Assert.Equal("[1,10]", answer["outputs"]![1]!["shape"]!.ToJsonString());
    }

    [Fact]
    public async Task Infer_EveryDatatypeAsJson_ComesBack()
    {
        var answer = await node.PostAsync("/v2/models/types/infer", Samples.Request(binary: false));
        Assert.Equal("all", (string?)answer["id"]);
        foreach (var sample in Samples.All)
        {
            var output = Output(answer, sample.Datatype);
            Assert.Equal(sample.Datatype, (string?)output["datatype"]);
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(sample.Json), output["data"]), output.ToJsonString());
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public async Task Infer_EveryDatatypeAsBytes_ComesBack(bool input, bool output)
    {
        var (json, binary) = await node.PostBinaryAsync("/v2/models/types/infer", Samples.Request(input, output), input ? Samples.Binary() : []);
        var rest = binary.AsSpan();
        foreach (var each in json["outputs"]!.AsArray())
        {
            var sample = Samples.All.Single(sample => sample.Datatype == (string)each!["datatype"]!);
            if (!output)
            {
                Assert.True(JsonNode.DeepEquals(JsonNode.Parse(sample.Json), each!["data"]), each.ToJsonString());
                continue;
            }

            var size = (int)each!["parameters"]!["binary_data_size"]!;
            Assert.Equal(sample.Bytes, rest[..size].ToArray());
            rest = rest[size..];
        }

        Assert.True(rest.IsEmpty);
    }

    [Fact]
    public async Task Infer_Strings_AModelOfWords()
    {
        var answer = await node.PostAsync("/v2/models/text/infer",
            """{"inputs":[{"name":"word","shape":[3],"datatype":"BYTES","data":["great","table","slow"]},{"name":"count","shape":[3],"datatype":"INT64","data":[1,3,2]}],"outputs":[{"name":"sentiment"}]}""");
        Assert.Equal("""["positive","neutral","negative"]""", Assert.Single(answer["outputs"]!.AsArray())!["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Infer_WrongTensor_400NamesItAndTheReplicaGoesOn()
    {
        var request = Samples.DigitsRequest.Replace("[1,64]", "[1,63]", StringComparison.Ordinal).Replace("[0,1,10,", "[1,10,", StringComparison.Ordinal);
        var answer = await node.PostAsync("/v2/models/digits/infer", request, HttpStatusCode.BadRequest);
        Assert.Equal("input 'pixels': the model takes FP32[-1,64]; FP32[1,63] came.", (string?)Assert.Single(answer.AsObject()).Value);
        await node.PostAsync("/v2/models/digits/infer", Samples.DigitsRequest);
    }

    [Fact]
    public async Task Infer_BodiesCutAndChanged_NeverWorseThan400()
    {
        var random = new Random(7);
        for (var round = 0; round < 200; round++)
        {
            var json = Samples.DigitsRequest.ToCharArray();
            for (var change = random.Next(4); change >= 0; change--)
                json[random.Next(json.Length)] = "{}[],:\"0-9e"[random.Next(11)];
            using var content = new StringContent(new(json, 0, random.Next(json.Length)));
            using var response = await node.Http.PostAsync("/v2/models/digits/infer", content);
            Assert.True(response.StatusCode is HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {new string(json)}");
        }

        await node.PostAsync("/v2/models/digits/infer", Samples.DigitsRequest);
    }

    [Fact]
    public async Task RequestId_IsReturnedInItsHeader()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/v2/models/digits/ready") { Headers = { { "X-Request-ID", "abc" } } };
        using var response = await node.Http.SendAsync(request);
        Assert.Equal("abc", response.Headers.GetValues("X-Request-ID").Single());
    }

    private static JsonNode Output(JsonNode answer, string datatype) =>
        answer["outputs"]!.AsArray().Single(output => (string)output!["name"]! == "out_" + Samples.Name(datatype))!;
}
