using System.Net;
using System.Text.Json.Nodes;

namespace Serve.Inference.Tests;

/// <summary>JSON inference requests: accepted forms and error messages.</summary>
public sealed class JsonInferTests : IAsyncLifetime, IDisposable
{
    private readonly FakeOnnxModel _pixels = new("pixels.onnx", FakeOnnxModel.Spec("x", TensorType.Float32, -1, 2));
    private ModelServerTestHost _all = null!;
    private ModelServerTestHost _host = null!;

    public async Task InitializeAsync()
    {
        _all = await ModelServerTestHost.StartAsync(FakeOnnxModel.OfAllTypes());
        _host = await ModelServerTestHost.StartAsync(_pixels);
    }

    public async Task DisposeAsync()
    {
        await _all.DisposeAsync();
        await _host.DisposeAsync();
    }

    public void Dispose() => _pixels.Dispose();

    [Fact]
    public async Task Infer_EveryDatatype_RoundTrips()
    {
        var values = new Dictionary<string, string>
        {
            ["BOOL"] = "[true,false]",
            ["UINT8"] = "[0,255]",
            ["UINT16"] = "[0,65535]",
            ["UINT32"] = "[0,4294967295]",
            ["UINT64"] = "[0,18446744073709551615]",
            ["INT8"] = "[-128,127]",
            ["INT16"] = "[-32768,32767]",
            ["INT32"] = "[-2147483648,2147483647]",
            ["INT64"] = "[-9223372036854775808,9223372036854775807]",
            ["FP16"] = "[-0.5,65504]",
            ["BF16"] = "[-0.5,3]",
            ["FP32"] = "[0.1,-1.5E-07]",
            ["FP64"] = "[0.1,1.7976931348623157E+308]",
            ["BYTES"] = """["","a \"ü\" 日本"]""",
        };
        Assert.Equal(TensorTypes.Names.Order(), values.Keys.Order());
        var inputs = string.Join(",", values.Select(pair => $$"""{"name":"{{pair.Key}}","shape":[2],"datatype":"{{pair.Key}}","data":{{pair.Value}}}"""));

        var answer = await _all.InferAsync($$"""{"inputs":[{{inputs}}]}""");

        foreach (var output in answer["outputs"]!.AsArray())
        {
            var type = (string)output!["datatype"]!;
            Assert.Equal(type + "_out", (string)output["name"]!);
            Assert.Equal("[2]", output["shape"]!.ToJsonString());
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(values[type]), output["data"]), $"{type}: {output["data"]!.ToJsonString()}");
        }

        Assert.Equal(values.Count, answer["outputs"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("[[1,2],[3,4]]")]
    [InlineData("[1,2,3,4]")]
    [InlineData(" [ [ 1 , 2.0 ] , [ 3e0 , 0.4e1 ] ] ")]
    public async Task Infer_NestedOrFlatData_ReadsSameElements(string data)
    {
        var answer = await _host.InferAsync($$"""{"inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":{{data}}}]}""");
        Assert.Equal("[1,2,3,4]", answer["outputs"]![0]!["data"]!.ToJsonString());
        Assert.Equal("[2,2]", answer["outputs"]![0]!["shape"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"data":[1,2],"datatype":"FP32","shape":[1,2],"name":"x"}""")]
    [InlineData("""{"datatype":"FP32","data":[[1,2]],"shape":[1,2],"name":"x"}""")]
    [InlineData("""{"more":{"a":[1]},"name":"x","shape":[1,2],"parameters":{"p":1,"q":"s","r":true},"datatype":"FP32","data":[1,2]}""")]
    public async Task Infer_MembersInAnyOrder_AreRead(string input)
    {
        var answer = await _host.InferAsync($$"""{"model_name":"fake","inputs":[{{input}}]}""");
        Assert.Equal("[1,2]", answer["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Theory]
    [InlineData(TensorType.Float32, "FP32", "[2.5]")]
    [InlineData(TensorType.String, "BYTES", """["a"]""")]
    public async Task Infer_ScalarShape_ReadsOneElement(TensorType type, string datatype, string data)
    {
        using var model = new FakeOnnxModel("m", FakeOnnxModel.Spec("x", type));
        await using var scalar = await ModelServerTestHost.StartAsync(model);
        var answer = await scalar.InferAsync($$"""{"inputs":[{"name":"x","shape":[],"datatype":"{{datatype}}","data":{{data}}}]}""");
        Assert.Equal("[]", answer["outputs"]![0]!["shape"]!.ToJsonString());
        Assert.Equal(data, answer["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Infer_EmptyTensor_ReturnsEmptyTensor()
    {
        var answer = await _host.InferAsync("""{"inputs":[{"name":"x","shape":[0,2],"datatype":"FP32","data":[]}]}""");
        Assert.Equal("[]", answer["outputs"]![0]!["data"]!.ToJsonString());
        Assert.Equal("[0,2]", answer["outputs"]![0]!["shape"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"id":"42","inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", "42")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", null)]
    public async Task Infer_Id_IsReturned(string json, string? id)
    {
        var answer = await _host.InferAsync(json);
        Assert.Equal(id, (string?)answer["id"]);
        Assert.Equal(id is not null, answer.ContainsKey("id"));
        Assert.Equal("fake", (string?)answer["model_name"]);
        Assert.Equal("1", (string?)answer["model_version"]);
    }

    [Fact]
    public async Task Infer_RequestedOutputs_AreReturnedInOrder()
    {
        var inputs = string.Join(",", TensorTypes.Names.Select(name => $$"""{"name":"{{name}}","shape":[0],"datatype":"{{name}}","data":[]}"""));
        var answer = await _all.InferAsync($$"""{"inputs":[{{inputs}}],"outputs":[{"name":"INT8_out"},{"name":"BOOL_out"}]}""");
        Assert.Equal(["INT8_out", "BOOL_out"], answer["outputs"]!.AsArray().Select(output => (string)output!["name"]!));
    }

    [Theory]
    [InlineData("""{"name":"y","shape":[1,2],"datatype":"FP32","data":[1,2]}""", "The model has no input 'y'. Its inputs: x: FP32[-1,2].")]
    [InlineData("""{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}""", "input 'x' must be FP32[-1,2], but was FP32[1,3].")]
    [InlineData("""{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}""", "input 'x' must be FP32[-1,2], but was FP32[2].")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP64","data":[1,2]}""", "input 'x' must be FP32[-1,2], but was FP64[1,2].")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FLOAT","data":[1,2]}""", "input 'x': unknown datatype 'FLOAT'. Valid datatypes: BOOL, UINT8,")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1]}""", "input 'x': FP32[1,2] has 2 elements, but data has 1.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2,3]}""", "input 'x': FP32[1,2] has 2 elements, but data has more.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3]]}""", "input 'x': FP32[2,2] has length 2 in dimension 1, but data has 1.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2]]}""", "input 'x': FP32[2,2] has length 2 in dimension 0, but data has 1.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4],[5,6]]}""", "input 'x': FP32[2,2] has length 2 in dimension 0, but data has more.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1,[2]]]}""", "input 'x': FP32 elements must be numbers of at most 3.4028235e38, but element 1 was an array.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1],2]}""", "input 'x': FP32[1,2] has length 2 in dimension 1, but data has 1.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],3,4]}""", "dimension 0 contains 3 instead of an array.")]
    [InlineData("""{"name":"x","shape":[2],"datatype":"FP32","data":[[1,2]]}""", "input 'x': FP32 elements must be numbers of at most 3.4028235e38, but element 0 was an array.")]
    [InlineData("""{"name":"x","shape":[],"datatype":"FP32","data":[[1]]}""", "input 'x': data is nested deeper than FP32[] is.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,"a"]}""", "element 1 was \"a\".")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,null]}""", "element 1 was null.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,1e39]}""", "element 1 was 1e39.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP16","data":[1,65536]}""", "element 1 was 65536.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"BF16","data":[1,3.4e38]}""", "element 1 was 3.4e38.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"INT8","data":[1,128]}""", "input 'x': INT8 elements must be integers from -128 to 127, but element 1 was 128.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"UINT64","data":[1,-1]}""", "element 1 was -1.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"INT64","data":[1,1.5]}""", "element 1 was 1.5.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"BOOL","data":[true,1]}""", "input 'x': BOOL elements must be true or false, but element 1 was 1.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"BYTES","data":["a",1]}""", "input 'x': BYTES elements must be strings, but element 1 was 1.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,NaN]}""", "input 'x': the request is not valid JSON: 'N' is an invalid start of a value.")]
    [InlineData("""{"name":"x","shape":[1,-2],"datatype":"FP32","data":[1,2]}""", "input 'x': shape [1,-2] must not contain negative lengths.")]
    [InlineData("""{"name":"x","shape":[1,2.5],"datatype":"FP32","data":[1,2]}""", "input 'x': shape must be an array of lengths, but was 2.5.")]
    [InlineData("""{"name":"x","shape":2,"datatype":"FP32","data":[1,2]}""", "input 'x': shape must be an array of lengths, but was 2.")]
    [InlineData("""{"name":"x","shape":[1000000,1000000],"datatype":"FP32","data":[1,2]}""", "input 'x': shape [1000000,1000000] has more than 2147483647 elements.")]
    [InlineData("""{"name":"x","shape":[100000000,2],"datatype":"FP32","data":[1,2]}""", "input 'x': FP32[100000000,2] has 200000000 elements, but data has 2.")]
    [InlineData("""{"name":"x","shape":[1,640],"datatype":"FP32","data":[[1,[2]],{"a":[3]},"]"]}""", "input 'x': FP32[1,640] has 640 elements, but data has 4.")]
    [InlineData("""{"name":"x","shape":[1,640],"datatype":"FP32","data":[1,NaN]}""", "input 'x': the request is not valid JSON: 'N' is an invalid start of a value.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":"AAAA"}""", "input 'x': data must be an array, but was \"AAAA\".")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32"}""", "input 'x': data or the parameter binary_data_size is required.")]
    [InlineData("""{"name":"x","shape":[1,2],"data":[1,2]}""", "input 'x': datatype is missing.")]
    [InlineData("""{"name":"x","datatype":"FP32","data":[1,2]}""", "input 'x': shape is missing.")]
    [InlineData("""{"shape":[1,2],"datatype":"FP32","data":[1,2]}""", "input '#0': name is missing.")]
    [InlineData("""{"name":7,"shape":[1,2],"datatype":"FP32","data":[1,2]}""", "an input's name must be a string, but was 7.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"p":[1]},"data":[1,2]}""", "input 'x': the parameter p must be a string, a number or a boolean, but was an array.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":7,"data":[1,2]}""", "input 'x': parameters must be an object, but was 7.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"shared_memory_region":"r"}}""", "input 'x': shared memory regions are not supported;")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}""", "the header Inference-Header-Content-Length is missing")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}""", "input 'x' is given twice.")]
    [InlineData("7", "inputs must be an array of objects, but was 7.")]
    [InlineData("", "The request has no inputs.")]
    public async Task Infer_InvalidInput_Returns400(string input, string expected)
    {
        Assert.Contains(expected, await _host.RefusedAsync($$"""{"inputs":[{{input}}]}"""), StringComparison.Ordinal);
        Assert.Equal(0, _pixels.Runs);
    }

    [Theory]
    [InlineData("", "Expected a JSON object, but the body was empty.")]
    [InlineData("[]", "The request must be a JSON object, but was an array.")]
    [InlineData("{}", "The request has no inputs.")]
    [InlineData("""{"inputs":7}""", "inputs must be an array of objects, but was 7.")]
    [InlineData("""{"id":7,"inputs":[]}""", "id must be a string, but was 7.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]} x""", "the request is not valid JSON")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"z"}]}""", "The model has no output 'z'. Its outputs: x_out: FP32[-1,2].")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"x_out"},{"name":"x_out"}]}""", "output 'x_out' is requested twice.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{}]}""", "output #0: name is missing.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"x_out","parameters":{"shared_memory_region":"r"}}]}""", "output 'x_out': the parameter shared_memory_region is not supported.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"x_out","parameters":{"binary_data":1}}]}""", "output 'x_out': binary_data must be true or false, but was 1.")]
    public async Task Infer_InvalidRequest_Returns400(string json, string expected)
    {
        Assert.Contains(expected, await _host.RefusedAsync(json), StringComparison.Ordinal);
        Assert.Equal(0, _pixels.Runs);
    }

    // JSON can spell half of a surrogate pair, which no string of Unicode text has.
    [Theory]
    [InlineData(@"{""id"":""\ud800"",""inputs"":[]}", "the request contains a string that is not valid Unicode")]
    [InlineData(@"{""\ud800"":1,""inputs"":[]}", "the request contains a string that is not valid Unicode")]
    [InlineData(@"{""inputs"":[{""name"":""\udc00""}]}", "input '#0': the request contains a string that is not valid Unicode")]
    [InlineData(@"{""inputs"":[{""name"":""x"",""datatype"":""\ud800""}]}", "input 'x': the request contains a string that is not valid Unicode")]
    [InlineData(@"{""inputs"":[{""name"":""x"",""shape"":[1,2],""datatype"":""BYTES"",""data"":[""a"",""\ud83dx""]}]}", "input 'x': the request contains a string that is not valid Unicode")]
    [InlineData(@"{""inputs"":[{""name"":""x"",""shape"":[1,2],""datatype"":""FP32"",""parameters"":{""\ud800"":1},""data"":[1,2]}]}", "input 'x': the request contains a string that is not valid Unicode")]
    [InlineData(@"{""inputs"":[{""name"":""x"",""shape"":[1,2],""datatype"":""FP32"",""data"":[1,2]}],""outputs"":[{""name"":""\ud800""}]}", "the request contains a string that is not valid Unicode")]
    public async Task Infer_LoneSurrogate_Returns400(string json, string expected)
    {
        Assert.Contains(expected, await _host.RefusedAsync(json), StringComparison.Ordinal);
        Assert.Equal(0, _pixels.Runs);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"inputs":[]}""")]
    public async Task Infer_ModelWithoutInputs_IsRun(string json)
    {
        using var constant = new FakeOnnxModel("constant.onnx") { DeclaredOutputs = [FakeOnnxModel.Spec("y", TensorType.Float32, 2)], Run = static _ => [("y", Tensor.Of([1f, 2f], 2))] };
        await using var host = await ModelServerTestHost.StartAsync(constant);

        Assert.Equal("[1,2]", (await host.InferAsync(json))["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Infer_TruncatedBody_Returns400AndServesNext()
    {
        const string Whole = """{"id":"1","inputs":[{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4]]}],"outputs":[{"name":"x_out"}]}""";
        for (var length = 0; length < Whole.Length; length++)
            Assert.NotEmpty(await _host.RefusedAsync(Whole[..length]));
        Assert.Equal(0, _pixels.Runs);
        await _host.InferAsync(Whole);
    }

    [Theory]
    [InlineData(float.NaN, "NaN")]
    [InlineData(float.PositiveInfinity, "Infinity")]
    public async Task Infer_OutputNotFinite_Returns400(float value, string text)
    {
        _pixels.Run = _ => [("x_out", Tensor.Of([1f, value], 1, 2))];
        var error = await _host.RefusedAsync("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""");
        Assert.Equal($"output 'x_out': element 1 is {text}, which JSON cannot represent; request the output with the parameter binary_data.", error);
    }

    [Fact]
    public async Task Infer_ModelFails_Returns500WithMessage()
    {
        _pixels.Run = _ => throw new InferenceException("the node /conv broke");
        Assert.Equal("the node /conv broke", await _host.RefusedAsync(
            """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", HttpStatusCode.InternalServerError));
    }
}
