using System.Net;
using System.Text.Json.Nodes;

namespace Serve.Inference.Tests;

/// <summary>Inference by JSON: what comes through, and what is refused with which words.</summary>
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
    public async Task Infer_EveryDatatype_ComesBackExactly()
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
    public async Task Infer_NestedOrFlat_SameElements(string data)
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
    public async Task Infer_ShapeWithoutDimensions_OneElement(TensorType type, string datatype, string data)
    {
        using var model = new FakeOnnxModel("m", FakeOnnxModel.Spec("x", type));
        await using var scalar = await ModelServerTestHost.StartAsync(model);
        var answer = await scalar.InferAsync($$"""{"inputs":[{"name":"x","shape":[],"datatype":"{{datatype}}","data":{{data}}}]}""");
        Assert.Equal("[]", answer["outputs"]![0]!["shape"]!.ToJsonString());
        Assert.Equal(data, answer["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Infer_NoElements_NoElements()
    {
        var answer = await _host.InferAsync("""{"inputs":[{"name":"x","shape":[0,2],"datatype":"FP32","data":[]}]}""");
        Assert.Equal("[]", answer["outputs"]![0]!["data"]!.ToJsonString());
        Assert.Equal("[0,2]", answer["outputs"]![0]!["shape"]!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"id":"42","inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", "42")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", null)]
    public async Task Infer_Id_IsReturnedWhenGiven(string json, string? id)
    {
        var answer = await _host.InferAsync(json);
        Assert.Equal(id, (string?)answer["id"]);
        Assert.Equal(id is not null, answer.ContainsKey("id"));
        Assert.Equal("fake", (string?)answer["model_name"]);
        Assert.Equal("1", (string?)answer["model_version"]);
    }

    [Fact]
    public async Task Infer_OutputsAskedFor_OnlyThoseInThatOrder()
    {
        var inputs = string.Join(",", TensorTypes.Names.Select(name => $$"""{"name":"{{name}}","shape":[0],"datatype":"{{name}}","data":[]}"""));
        var answer = await _all.InferAsync($$"""{"inputs":[{{inputs}}],"outputs":[{"name":"INT8_out"},{"name":"BOOL_out"}]}""");
        Assert.Equal(["INT8_out", "BOOL_out"], answer["outputs"]!.AsArray().Select(output => (string)output!["name"]!));
    }

    [Theory]
    [InlineData("""{"name":"y","shape":[1,2],"datatype":"FP32","data":[1,2]}""", "The model has no input 'y'. It takes x: FP32[-1,2].")]
    [InlineData("""{"name":"x","shape":[1,3],"datatype":"FP32","data":[1,2,3]}""", "input 'x': the model takes FP32[-1,2]; FP32[1,3] came.")]
    [InlineData("""{"name":"x","shape":[2],"datatype":"FP32","data":[1,2]}""", "input 'x': the model takes FP32[-1,2]; FP32[2] came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP64","data":[1,2]}""", "input 'x': the model takes FP32[-1,2]; FP64[1,2] came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FLOAT","data":[1,2]}""", "input 'x': datatype 'FLOAT' is none of BOOL, UINT8,")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1]}""", "input 'x': FP32[1,2] has 2 elements; data has 1.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2,3]}""", "input 'x': FP32[1,2] has 2 elements; data has more.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3]]}""", "input 'x': FP32[2,2] has length 2 in dimension 1; data has 1.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2]]}""", "input 'x': FP32[2,2] has length 2 in dimension 0; data has 1.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],[3,4],[5,6]]}""", "input 'x': FP32[2,2] has length 2 in dimension 0; data has more.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1,[2]]]}""", "input 'x': FP32 takes numbers of at most 3.4028235e38; at element 1 an array came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[[1],2]}""", "input 'x': FP32[1,2] has length 2 in dimension 1; data has 1.")]
    [InlineData("""{"name":"x","shape":[2,2],"datatype":"FP32","data":[[1,2],3,4]}""", "in dimension 0 3 came in place of an array.")]
    [InlineData("""{"name":"x","shape":[2],"datatype":"FP32","data":[[1,2]]}""", "input 'x': FP32 takes numbers of at most 3.4028235e38; at element 0 an array came.")]
    [InlineData("""{"name":"x","shape":[],"datatype":"FP32","data":[[1]]}""", "input 'x': data is nested deeper than FP32[] is.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,"a"]}""", "at element 1 \"a\" came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,null]}""", "at element 1 null came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,1e39]}""", "at element 1 1e39 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP16","data":[1,65536]}""", "at element 1 65536 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"BF16","data":[1,3.4e38]}""", "at element 1 3.4e38 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"INT8","data":[1,128]}""", "input 'x': INT8 takes whole numbers of -128 to 127; at element 1 128 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"UINT64","data":[1,-1]}""", "at element 1 -1 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"INT64","data":[1,1.5]}""", "at element 1 1.5 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"BOOL","data":[true,1]}""", "input 'x': BOOL takes true or false; at element 1 1 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"BYTES","data":["a",1]}""", "input 'x': BYTES takes strings; at element 1 1 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,NaN]}""", "input 'x': the request is no valid JSON: 'N' is an invalid start of a value.")]
    [InlineData("""{"name":"x","shape":[1,-2],"datatype":"FP32","data":[1,2]}""", "input 'x': shape [1,-2] cannot be: no length is negative.")]
    [InlineData("""{"name":"x","shape":[1,2.5],"datatype":"FP32","data":[1,2]}""", "input 'x': shape is to be an array of lengths; 2.5 came.")]
    [InlineData("""{"name":"x","shape":2,"datatype":"FP32","data":[1,2]}""", "input 'x': shape is to be an array of lengths; 2 came.")]
    [InlineData("""{"name":"x","shape":[1000000,1000000],"datatype":"FP32","data":[1,2]}""", "input 'x': shape [1000000,1000000] has more than 2147483647 elements.")]
    [InlineData("""{"name":"x","shape":[100000000,2],"datatype":"FP32","data":[1,2]}""", "input 'x': FP32[100000000,2] has 200000000 elements; data has 2.")]
    [InlineData("""{"name":"x","shape":[1,640],"datatype":"FP32","data":[[1,[2]],{"a":[3]},"]"]}""", "input 'x': FP32[1,640] has 640 elements; data has 4.")]
    [InlineData("""{"name":"x","shape":[1,640],"datatype":"FP32","data":[1,NaN]}""", "input 'x': the request is no valid JSON: 'N' is an invalid start of a value.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":"AAAA"}""", "input 'x': data is to be an array; \"AAAA\" came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32"}""", "input 'x': it has neither data nor the parameter binary_data_size.")]
    [InlineData("""{"name":"x","shape":[1,2],"data":[1,2]}""", "input 'x': it has no datatype.")]
    [InlineData("""{"name":"x","datatype":"FP32","data":[1,2]}""", "input 'x': it has no shape.")]
    [InlineData("""{"shape":[1,2],"datatype":"FP32","data":[1,2]}""", "input '#0': it has no name.")]
    [InlineData("""{"name":7,"shape":[1,2],"datatype":"FP32","data":[1,2]}""", "an input's name is to be a string; 7 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"p":[1]},"data":[1,2]}""", "input 'x': the parameter p is to be a string, a number or a boolean; an array came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":7,"data":[1,2]}""", "input 'x': parameters are to be an object; 7 came.")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"shared_memory_region":"r"}}""", "input 'x': tensors in shared memory regions are not taken;")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","parameters":{"binary_data_size":8}}""", "the header Inference-Header-Content-Length is missing")]
    [InlineData("""{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}""", "input 'x' came twice.")]
    [InlineData("7", "inputs is to be an array of objects; 7 came.")]
    [InlineData("", "The request has no inputs.")]
    public async Task Infer_WrongInput_400NamesIt(string input, string expected)
    {
        Assert.Contains(expected, await _host.RefusedAsync($$"""{"inputs":[{{input}}]}"""), StringComparison.Ordinal);
        Assert.Equal(0, _pixels.Runs);
    }

    [Theory]
    [InlineData("", "The request is to be a JSON object; nothing came.")]
    [InlineData("[]", "The request is to be a JSON object; an array came.")]
    [InlineData("{}", "The request has no inputs.")]
    [InlineData("""{"inputs":7}""", "inputs is to be an array of objects; 7 came.")]
    [InlineData("""{"id":7,"inputs":[]}""", "id is to be a string; 7 came.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]} x""", "the request is no valid JSON")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"z"}]}""", "The model has no output 'z'. It gives x_out: FP32[-1,2].")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"x_out"},{"name":"x_out"}]}""", "output 'x_out' is asked for twice.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{}]}""", "output #0 has no name.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"x_out","parameters":{"shared_memory_region":"r"}}]}""", "output 'x_out': the parameter shared_memory_region is not offered here.")]
    [InlineData("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"x_out","parameters":{"binary_data":1}}]}""", "output 'x_out': binary_data is to be true or false; 1 came.")]
    public async Task Infer_WrongRequest_400SaysWhat(string json, string expected)
    {
        Assert.Contains(expected, await _host.RefusedAsync(json), StringComparison.Ordinal);
        Assert.Equal(0, _pixels.Runs);
    }

    [Fact]
    public async Task Infer_BodyCutAnywhere_400AndTheNextIsServed()
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
    public async Task Infer_OutputThatJsonHasNot_400NamesIt(float value, string text)
    {
        _pixels.Run = _ => [("x_out", Tensor.Of([1f, value], 1, 2))];
        var error = await _host.RefusedAsync("""{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""");
        Assert.Equal($"output 'x_out': element 1 is {text}, which JSON cannot say; ask for the output with the parameter binary_data.", error);
    }

    [Fact]
    public async Task Infer_ModelFails_500WithItsWords()
    {
        _pixels.Run = _ => throw new InferenceException("the node /conv broke");
        Assert.Equal("the node /conv broke", await _host.RefusedAsync(
            """{"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]}""", HttpStatusCode.InternalServerError));
    }
}
