using System.Globalization;
using System.Runtime.InteropServices;

namespace Serve.Inference.Analysis.Tests;

/// <summary>An input of a model under test: its lengths after the first, which is open; for whole numbers the first one that is too large, for floats null.</summary>
public sealed record GraphInput(string Name, long[] Inner, int? Limit);

/// <summary>Writes ONNX files node by node; field numbers are those of onnx.proto.</summary>
public sealed class OnnxGraphBuilder(int opset = 14, int seed = 7)
{
    private const int Float = 1;
    private const int Int64 = 7;

    private readonly List<(string[] Inputs, string[] Outputs, OnnxFileBytes Bytes)> _nodes = [];
    private readonly HashSet<string> _used = [];
    private readonly List<OnnxFileBytes> _initializers = [];
    private readonly List<OnnxFileBytes> _inputs = [];
    private readonly List<OnnxFileBytes> _outputs = [];
    private readonly List<GraphInput> _declared = [];
    private readonly Random _random = new(seed);
    private int _count;

    public int Opset => opset;

    public IReadOnlyList<GraphInput> Inputs => _declared;

    /// <summary>Declares an input of floats whose first length is open.</summary>
    public string Input(string name, params long[] inner) => Declare(new(name, inner, null));

    /// <summary>Declares an input of whole numbers whose first length is open.</summary>
    public string Indices(string name, int limit, params long[] inner) => Declare(new(name, inner, limit));

    public string Ints(params long[] values) => Initializer([values.Length], Int64, MemoryMarshal.AsBytes(values.AsSpan()));

    public string Int(long value) => Initializer([], Int64, MemoryMarshal.AsBytes([value]));

    public string Scalar(float value) => Initializer([], Float, MemoryMarshal.AsBytes([value]));

    public string Constant(long[] shape, params float[] values) => Initializer(shape, Float, MemoryMarshal.AsBytes(values.AsSpan()));

    /// <summary>Adds a constant of random floats between -1 and 1.</summary>
    public string Weights(params long[] shape)
    {
        var values = new float[shape.Aggregate(1L, static (product, length) => product * length)];
        foreach (ref var value in values.AsSpan())
            value = (_random.NextSingle() * 2) - 1;
        return Constant(shape, values);
    }

    public string Bytes(int type, params byte[] values) => Initializer(values.Length == 1 ? [] : [values.Length], type, values);

    public string Node(string type, string[] inputs, params (string Name, object Value)[] attributes) => Nodes(type, "", inputs, 1, attributes)[0];

    public string[] Nodes(string type, string domain, string[] inputs, int outputs, params (string Name, object Value)[] attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => NextName())];
        _nodes.Add((inputs, names, NodeBytes(type, domain, inputs, names, attributes)));
        return names;
    }

    /// <summary>Adds an If whose branches apply one operator each to a value.</summary>
    public string If(string condition, string value, string then, string otherwise)
    {
        var name = NextName();
        _nodes.Add(([condition, value], [name], new OnnxFileBytes().Text(1, condition).Text(2, name).Text(3, "if").Text(4, "If")
            .Message(5, Branch("then_branch", then)).Message(5, Branch("else_branch", otherwise))));
        return name;

        OnnxFileBytes Branch(string attribute, string type)
        {
            var output = NextName();
            var graph = new OnnxFileBytes().Message(1, NodeBytes(type, "", [value], [output], [])).Text(2, "branch").Message(12, ValueInfo(output, Float, null));
            return new OnnxFileBytes().Text(1, attribute).Message(6, graph).Number(20, 5);
        }
    }

    /// <summary>Adds the length of a dimension as a scalar.</summary>
    public string Length(string value, int dimension) => Node("Gather", [Node("Shape", [value]), Int(dimension)], ("axis", 0L));

    public string Unsqueeze(string value, params long[] axes) => opset >= 13 ? Node("Unsqueeze", [value, Ints(axes)]) : Node("Unsqueeze", [value], ("axes", axes));

    public string Squeeze(string value, params long[] axes) => opset >= 13 ? Node("Squeeze", [value, Ints(axes)]) : Node("Squeeze", [value], ("axes", axes));

    public void Output(string name, bool isWhole = false)
    {
        _outputs.Add(ValueInfo(name, isWhole ? Int64 : Float, null));
        _used.Add(name);
    }

    /// <summary>Returns the file. Nodes that lead to no output are left out, since ONNX Runtime would run them, too.</summary>
    public byte[] ToArray()
    {
        HashSet<string> used = [.. _used];
        List<OnnxFileBytes> live = [];
        for (var index = _nodes.Count - 1; index >= 0; index--)
        {
            if (!_nodes[index].Outputs.Any(used.Contains))
                continue;
            used.UnionWith(_nodes[index].Inputs);
            live.Insert(0, _nodes[index].Bytes);
        }

        var graph = new OnnxFileBytes().Text(2, "graph");
        foreach (var node in live)
            graph.Message(1, node);
        foreach (var initializer in _initializers)
            graph.Message(5, initializer);
        foreach (var input in _inputs)
            graph.Message(11, input);
        foreach (var output in _outputs)
            graph.Message(12, output);
        return new OnnxFileBytes().Number(1, 7).Message(7, graph)
            .Message(8, new OnnxFileBytes().Text(1, "").Number(2, opset))
            .Message(8, new OnnxFileBytes().Text(1, "com.microsoft").Number(2, 1))
            .Message(8, new OnnxFileBytes().Text(1, "ai.onnx.ml").Number(2, 3)).ToArray();
    }

    private static OnnxFileBytes NodeBytes(string type, string domain, string[] inputs, string[] outputs, (string Name, object Value)[] attributes)
    {
        var node = new OnnxFileBytes();
        foreach (var input in inputs)
            node.Text(1, input);
        foreach (var output in outputs)
            node.Text(2, output);
        node.Text(3, $"{type}_{outputs[0]}").Text(4, type).Text(7, domain);
        foreach (var (name, value) in attributes)
            node.Message(5, Attribute(name, value));
        return node;
    }

    private static OnnxFileBytes Attribute(string name, object value)
    {
        var attribute = new OnnxFileBytes().Text(1, name);
        switch (value)
        {
            case long number:
                return attribute.Number(3, number).Number(20, 2);
            case string text:
                return attribute.Text(4, text).Number(20, 3);
            case long[] numbers:
                foreach (var number in numbers)
                    attribute.Number(8, number);
                return attribute.Number(20, 7);
            case float[] floats:
                return attribute.Bytes(7, MemoryMarshal.AsBytes(floats.AsSpan())).Number(20, 6);
            case string[] texts:
                foreach (var text in texts)
                    attribute.Text(9, text);
                return attribute.Number(20, 8);
            default:
                throw new ArgumentException($"No attribute type for {value.GetType()}.", nameof(value));
        }
    }

    /// <summary>A tensor attribute for ConstantOfShape.</summary>
    public string Filled(string shape, float value) => FilledWith(shape, Float, MemoryMarshal.AsBytes([value]));

    public string Filled(string shape, long value) => FilledWith(shape, Int64, MemoryMarshal.AsBytes([value]));

    private string FilledWith(string shape, int type, ReadOnlySpan<byte> value)
    {
        var name = NextName();
        var tensor = new OnnxFileBytes().Number(1, 1).Number(2, type).Bytes(9, value);
        _nodes.Add(([shape], [name], new OnnxFileBytes().Text(1, shape).Text(2, name).Text(3, $"fill_{name}").Text(4, "ConstantOfShape")
            .Message(5, new OnnxFileBytes().Text(1, "value").Message(5, tensor).Number(20, 4))));
        return name;
    }

    private static OnnxFileBytes ValueInfo(string name, int type, long[]? inner)
    {
        var tensor = new OnnxFileBytes().Number(1, type);
        if (inner is not null)
        {
            var shape = new OnnxFileBytes().Message(1, new OnnxFileBytes().Text(2, "N"));
            foreach (var length in inner)
                shape.Message(1, new OnnxFileBytes().Number(1, length));
            tensor.Message(2, shape);
        }

        return new OnnxFileBytes().Text(1, name).Message(2, new OnnxFileBytes().Message(1, tensor));
    }

    private string Declare(GraphInput input)
    {
        _declared.Add(input);
        _inputs.Add(ValueInfo(input.Name, input.Limit is null ? Float : Int64, input.Inner));
        return input.Name;
    }

    private string Initializer(long[] shape, int type, ReadOnlySpan<byte> raw)
    {
        var name = NextName();
        var tensor = new OnnxFileBytes();
        foreach (var length in shape)
            tensor.Number(1, length);
        _initializers.Add(tensor.Number(2, type).Text(8, name).Bytes(9, raw));
        return name;
    }

    private string NextName() => string.Create(CultureInfo.InvariantCulture, $"t{++_count}");
}
