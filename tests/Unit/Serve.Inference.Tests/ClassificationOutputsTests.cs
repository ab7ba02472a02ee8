using System.Text.Json.Nodes;

namespace Serve.Inference.Tests;

/// <summary>Triton's classification extension: outputs are replaced by their largest elements.</summary>
public sealed class ClassificationOutputsTests
{
    [Theory]
    [InlineData("UINT8", "[1,255,10,4]", """["255:1","10:2","4:3"]""")]
    [InlineData("UINT16", "[1,65535,10,4]", """["65535:1","10:2","4:3"]""")]
    [InlineData("UINT32", "[1,4294967295,10,4]", """["4294967295:1","10:2","4:3"]""")]
    [InlineData("UINT64", "[1,18446744073709551615,18446744073709551614,4]", """["18446744073709551615:1","18446744073709551614:2","4:3"]""")]
    [InlineData("INT8", "[-3,-1,-2,-4]", """["-1:1","-2:2","-3:0"]""")]
    [InlineData("INT16", "[-3,-1,-2,-4]", """["-1:1","-2:2","-3:0"]""")]
    [InlineData("INT32", "[-3,-1,-2,-4]", """["-1:1","-2:2","-3:0"]""")]
    [InlineData("INT64", "[9223372036854775806,9223372036854775807,-2,-4]", """["9223372036854775807:1","9223372036854775806:0","-2:2"]""")]
    [InlineData("FP16", "[0.5,2,1,-1]", """["2:1","1:2","0.5:0"]""")]
    [InlineData("BF16", "[0.5,2,1,-1]", """["2:1","1:2","0.5:0"]""")]
    [InlineData("FP32", "[1.1,3.3,0.5,2.4]", """["3.3:1","2.4:3","1.1:0"]""")]
    [InlineData("FP64", "[1.1,3.3,0.5,2.4]", """["3.3:1","2.4:3","1.1:0"]""")]
    [InlineData("FP32", "[7,7,7,7]", """["7:0","7:1","7:2"]""")]
    public async Task Classification_OrderedDatatype_ReturnsLargestFirst(string datatype, string data, string expected)
    {
        Assert.True(TensorTypes.TryParse(datatype, out var type));
        var answer = await AskAsync(new("m", FakeOnnxModel.Spec("x", type, 4)), $$"""{"name":"x","shape":[4],"datatype":"{{datatype}}","data":{{data}}}""", "3");
        Assert.Equal($$"""{"name":"x_out","shape":[3],"datatype":"BYTES","data":{{expected}}}""", answer["outputs"]![0]!.ToJsonString());
    }

    [Theory]
    [InlineData("2", "[2,2]", """["2:1","1:0","9:0","8:1"]""")]
    [InlineData("5", "[2,2]", """["2:1","1:0","9:0","8:1"]""")]
    [InlineData("1", "[2,1]", """["2:1","9:0"]""")]
    [InlineData("0", "[2,2]", "[1,2,9,8]")]
    public async Task Classification_SeveralItems_RanksEachItem(string classes, string shape, string expected)
    {
        var answer = await AskAsync(
            new("m", FakeOnnxModel.Spec("x", TensorType.Float32, -1, 2)), """{"name":"x","shape":[2,2],"datatype":"FP32","data":[1,2,9,8]}""", classes);
        Assert.Equal(shape, answer["outputs"]![0]!["shape"]!.ToJsonString());
        Assert.Equal(expected, answer["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Classification_NoItems_ReturnsNoClasses()
    {
        var answer = await AskAsync(new("m", FakeOnnxModel.Spec("x", TensorType.Float32, -1, 2)), """{"name":"x","shape":[0,2],"datatype":"FP32","data":[]}""", "2");
        Assert.Equal("[]", answer["outputs"]![0]!["data"]!.ToJsonString());
    }

    [Fact]
    public async Task Classification_OtherOutputs_AreUnchanged()
    {
        using var model = new FakeOnnxModel("m", FakeOnnxModel.Spec("x", TensorType.Int32, 2), FakeOnnxModel.Spec("y", TensorType.Int32, 2));
        await using var host = await ModelServerTestHost.StartAsync(model);
        var answer = await host.InferAsync("""
            {"inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":[1,2]},{"name":"y","shape":[2],"datatype":"INT32","data":[3,4]}],
            "outputs":[{"name":"y_out"},{"name":"x_out","parameters":{"classification":1}}]}
            """);
        Assert.Equal(["[3,4]", """["2:1"]"""], answer["outputs"]!.AsArray().Select(output => output!["data"]!.ToJsonString()));
        Assert.Equal(0, model.UnreturnedOutputs);
    }

    [Theory]
    [InlineData("BOOL", "[true]", "1", "output 'x_out': BOOL has no order; the parameter classification requires a numeric datatype.")]
    [InlineData("BYTES", """["a"]""", "1", "output 'x_out': BYTES has no order")]
    [InlineData("FP32", "[1]", "-1", "output 'x_out': classification must be a number of classes, but was -1.")]
    [InlineData("FP32", "[1]", "\"2\"", "output 'x_out': classification must be a number of classes, but was \"2\".")]
    public async Task Classification_Invalid_Returns400(string datatype, string data, string classes, string expected)
    {
        Assert.True(TensorTypes.TryParse(datatype, out var type));
        using var model = new FakeOnnxModel("m", FakeOnnxModel.Spec("x", type, 1));
        await using var host = await ModelServerTestHost.StartAsync(model);
        Assert.Contains(expected, await host.RefusedAsync(Request($$"""{"name":"x","shape":[1],"datatype":"{{datatype}}","data":{{data}}}""", classes)), StringComparison.Ordinal);
        Assert.Equal(0, model.Runs);
    }

    private static string Request(string input, string classes) => $$$"""{"inputs":[{{{input}}}],"outputs":[{"name":"x_out","parameters":{"classification":{{{classes}}}}}]}""";

    private static async Task<JsonObject> AskAsync(FakeOnnxModel model, string input, string classes)
    {
        using (model)
        {
            await using var host = await ModelServerTestHost.StartAsync(model);
            return await host.InferAsync(Request(input, classes));
        }
    }
}
