using System.Globalization;
using System.Runtime.InteropServices;

namespace Serve.Runtime.Onnx.Tests.Fixtures;

/// <summary>A small ONNX graph, built in code. Field numbers are those of <c>onnx.proto</c>.</summary>
public sealed class OnnxTestModel
{
    private readonly OnnxFileBytes _graph = new();
    private readonly OnnxFileBytes _rest = new();

    public OnnxTestModel(string name = "test", int opset = 17)
    {
        _graph.Text(2, name);
        _rest.Number(1, 8).Text(2, "serve-tests").Number(5, 7).Text(6, "for tests").Message(8, new OnnxFileBytes().Text(1, "").Number(2, opset));
    }

    /// <summary>y = x + x.</summary>
    public static OnnxTestModel Doubles(string shape = "n,4") => new OnnxTestModel("doubles").Input("x", TensorType.Float32, shape).Output("y", TensorType.Float32, shape).Node("Add", ["x", "x"], ["y"]);

    /// <summary>Multiplies x by itself repeatedly, for runs of any duration.</summary>
    public static OnnxTestModel Slow(int steps, string shape = "n,n")
    {
        var model = new OnnxTestModel("slow").Input("x", TensorType.Float32, shape).Output("y", TensorType.Float32, shape);
        var before = "x";
        for (var step = 0; step < steps; step++)
        {
            var name = step == steps - 1 ? "y" : string.Create(CultureInfo.InvariantCulture, $"s{step}");
            model.Node("MatMul", [before, "x"], [name]);
            before = name;
        }

        return model;
    }

    public static OnnxTestModel Copies(TensorType type, string shape = "n,2") => new OnnxTestModel("copies").Input("x", type, shape).Output("y", type, shape).Node("Identity", ["x"], ["y"]);

    public OnnxTestModel Input(string name, TensorType type, string shape) => With(11, name, type, shape);

    public OnnxTestModel RawInput(OnnxFileBytes valueInfo)
    {
        _graph.Message(11, valueInfo);
        return this;
    }

    public OnnxTestModel Output(string name, TensorType type, string shape) => With(12, name, type, shape);

    /// <summary>
    /// ONNX Runtime ends its process when it runs this model with one row: Squeeze removes the only dimension, and Einsum refuses the scalar in a way that its own cleanup does not survive.
    /// </summary>
    public static OnnxTestModel AbortsAtOneRow() => new OnnxTestModel("abort").Input("x", TensorType.Float32, "n,1").Output("y", TensorType.Float32, "a,b")
        .Node("Squeeze", ["x"], ["s"]).Node("Einsum", ["s", "s"], ["y"], "equation", "a,b->ab");

    /// <summary>The same with two rows only: the slice of the second row has a length of 1 then.</summary>
    public static OnnxTestModel AbortsAtTwoRows() => new OnnxTestModel("abort").Input("x", TensorType.Float32, "n,2").Output("y", TensorType.Float32, "a,b")
        .Integers("start", 1).Integers("end", 2).Integers("axis", 0)
        .Node("Slice", ["x", "start", "end", "axis"], ["r"]).Node("Squeeze", ["r"], ["s"]).Node("Einsum", ["s", "s"], ["y"], "equation", "ab,ab->ab");

    public OnnxTestModel Node(string type, string[] inputs, string[] outputs, string? attribute = null, string value = "")
    {
        var node = new OnnxFileBytes();
        foreach (var input in inputs)
            node.Text(1, input);
        foreach (var output in outputs)
            node.Text(2, output);
        node.Text(4, type);
        if (attribute is not null)
            node.Message(5, new OnnxFileBytes().Text(1, attribute).Text(4, value).Number(20, 3));
        _graph.Message(1, node);
        return this;
    }

    /// <summary>Label and probabilities of a classifier as scikit-learn's converter writes them: a sequence of one map from label to probability per item.</summary>
    public OnnxTestModel ZipMap(string input, string output, params long[] labels)
    {
        var classes = new OnnxFileBytes().Text(1, "classlabels_int64s");
        foreach (var label in labels)
            classes.Number(8, label);
        _graph.Message(1, new OnnxFileBytes().Text(1, input).Text(2, output).Text(4, "ZipMap").Message(5, classes.Number(20, 7)).Text(7, "ai.onnx.ml"));
        _rest.Message(8, new OnnxFileBytes().Text(1, "ai.onnx.ml").Number(2, 1));
        var probability = new OnnxFileBytes().Message(1, new OnnxFileBytes().Number(1, NumberOf(TensorType.Float32)).Message(2, new OnnxFileBytes()));
        var map = new OnnxFileBytes().Message(5, new OnnxFileBytes().Number(1, NumberOf(TensorType.Int64)).Message(2, probability));
        _graph.Message(12, new OnnxFileBytes().Text(1, output).Message(2, new OnnxFileBytes().Message(4, new OnnxFileBytes().Message(1, map))));
        return this;
    }

    public OnnxTestModel Weights(string name, float[] values, params long[] shape)
    {
        _graph.Message(5, Tensor(name, shape).Bytes(9, MemoryMarshal.AsBytes(values.AsSpan())));
        return this;
    }

    public OnnxTestModel Integers(string name, params long[] values)
    {
        _graph.Message(5, new OnnxFileBytes().Number(1, values.Length).Number(2, NumberOf(TensorType.Int64)).Text(8, name).Bytes(9, MemoryMarshal.AsBytes(values.AsSpan())));
        return this;
    }

    public OnnxTestModel ExternalWeights(string name, string file, params long[] shape)
    {
        _graph.Message(5, Tensor(name, shape).Message(13, new OnnxFileBytes().Text(1, "location").Text(2, file)).Number(14, 1));
        return this;
    }

    public OnnxTestModel Metadata(string key, string value)
    {
        _rest.Message(14, new OnnxFileBytes().Text(1, key).Text(2, value));
        return this;
    }

    public byte[] ToArray() => [.. _rest.ToArray(), .. new OnnxFileBytes().Message(7, _graph).ToArray()];

    public string Save(string directory, string name = "model.onnx")
    {
        var path = Path.Combine(directory, name);
        File.WriteAllBytes(path, ToArray());
        return path;
    }

    private static OnnxFileBytes Tensor(string name, long[] shape)
    {
        var tensor = new OnnxFileBytes();
        foreach (var length in shape)
            tensor.Number(1, length);
        return tensor.Number(2, NumberOf(TensorType.Float32)).Text(8, name);
    }

    // "n,4": a symbolic length and a length of 4; "" is a scalar.
    private OnnxTestModel With(int field, string name, TensorType type, string shape)
    {
        var dimensions = new OnnxFileBytes();
        foreach (var length in shape.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            dimensions.Message(1, long.TryParse(length, CultureInfo.InvariantCulture, out var number)
                ? new OnnxFileBytes().Number(1, number)
                : new OnnxFileBytes().Text(2, length));
        }

        var tensor = new OnnxFileBytes().Number(1, NumberOf(type)).Message(2, dimensions);
        _graph.Message(field, new OnnxFileBytes().Text(1, name).Message(2, new OnnxFileBytes().Message(1, tensor)));
        return this;
    }

    // TensorProto.DataType.
    private static int NumberOf(TensorType type) => type switch
    {
        TensorType.Bool => 9,
        TensorType.UInt8 => 2,
        TensorType.UInt16 => 4,
        TensorType.UInt32 => 12,
        TensorType.UInt64 => 13,
        TensorType.Int8 => 3,
        TensorType.Int16 => 5,
        TensorType.Int32 => 6,
        TensorType.Int64 => 7,
        TensorType.Float16 => 10,
        TensorType.BFloat16 => 16,
        TensorType.Float32 => 1,
        TensorType.Float64 => 11,
        _ => 8,
    };
}
