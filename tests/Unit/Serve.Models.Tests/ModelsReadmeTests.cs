using System.Text.Json.Nodes;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using ModelMaker;

namespace Serve.Models.Tests;

public sealed class ModelsReadmeTests
{
    [Fact]
    public void Examples_CommittedModels_AllHaveOne() => Assert.Equal(
        Directory.GetFiles(CommittedModels.Folder, "*.onnx").Select(Path.GetFileNameWithoutExtension).Order(),
        ReadmeRequestExample.All.Select(example => example.Model).Order());

    [Theory]
    [MemberData(nameof(CommittedModelFileTests.Names), MemberType = typeof(CommittedModelFileTests))]
    public void Examples_OnnxRuntime_MatchReadme(string name)
    {
        var example = ReadmeRequestExample.All.Single(example => example.Model == name);
        using var model = OnnxTestSession.Committed(name);

        using var answer = model.Run([.. example.Request["inputs"]!.AsArray().Select(input => ((string)input!["name"]!, Value(input)))]);

        var outputs = example.Response["outputs"]!.AsArray();
        Assert.Equal(name, (string?)example.Response["model_name"]);
        Assert.Equal(model.Session.OutputNames, outputs.Select(output => (string)output!["name"]!));
        foreach (var output in outputs)
            AssertSame(output!, answer);
    }

    private static OrtValue Value(JsonNode tensor)
    {
        var data = tensor["data"]!.AsArray();
        long[] shape = [.. tensor["shape"]!.AsArray().Select(length => (long)length!)];
        Assert.Equal(data.Count, shape.Aggregate(1L, (product, length) => product * length));
        OrtValue Of<T>(Func<JsonNode, T> read) where T : unmanaged => OnnxTestSession.Tensor(data.Select(item => read(item!)).ToArray(), shape);

        return (string?)tensor["datatype"] switch
        {
            "BOOL" => Of(item => (bool)item),
            "UINT8" => Of(item => (byte)item),
            "UINT16" => Of(item => (ushort)item),
            "UINT32" => Of(item => (uint)item),
            "UINT64" => Of(item => (ulong)item),
            "INT8" => Of(item => (sbyte)item),
            "INT16" => Of(item => (short)item),
            "INT32" => Of(item => (int)item),
            "INT64" => Of(item => (long)item),
            "FP16" => Of(item => (Float16)(float)item),
            "BF16" => Of(item => (BFloat16)(float)item),
            "FP32" => Of(item => (float)item),
            "FP64" => Of(item => (double)item),
            "BYTES" => OnnxTestSession.Texts([.. data.Select(item => (string)item!)]),
            var other => throw new InvalidDataException($"No datatype: {other}"),
        };
    }

    private static void AssertSame(JsonNode output, ModelRunOutputs answer)
    {
        var name = (string)output["name"]!;
        using var expected = Value(output);
        var (type, actual) = (expected.GetTensorTypeAndShape(), answer[name].GetTensorTypeAndShape());

        Assert.Equal(type.ElementDataType, actual.ElementDataType);
        Assert.Equal(type.Shape, actual.Shape);
        switch (type.ElementDataType)
        {
            case TensorElementType.String:
                Assert.Equal(expected.GetStringTensorAsArray(), answer.Texts(name));
                break;
            case TensorElementType.Float:
                // Values in the README are rounded to four digits.
                foreach (var (written, real) in expected.GetTensorDataAsSpan<float>().ToArray().Zip(answer.Values<float>(name)))
                    Assert.Equal(written, real, 1e-4f);
                break;
            default:
                Assert.True(expected.GetTensorMutableRawData().SequenceEqual(answer[name].GetTensorMutableRawData()), name);
                break;
        }
    }
}
