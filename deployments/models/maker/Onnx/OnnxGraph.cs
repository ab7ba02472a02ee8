using System.Runtime.InteropServices;
using Google.Protobuf;
using ModelMaker.Onnx.Format;

namespace ModelMaker.Onnx;

/// <summary>
/// Builder of an ONNX model. The same calls in the same order produce the same bytes. Values are
/// identified by their names; a node may use only values that an earlier call has defined.
/// </summary>
/// <param name="name">The graph's name.</param>
public sealed class OnnxGraph(string name)
{
    /// <summary>Operator set with operators that the core set lacks, such as those on strings.</summary>
    public const string MachineLearning = "ai.onnx.ml";

    // Supported by all runtimes in use, and contains all operators that are used here.
    private const long IrVersion = 8;
    private const long Opset = 17;
    private const long MachineLearningOpset = 3;

    private readonly GraphProto graph = new() { Name = name };
    private readonly ModelProto model = new()
    {
        IrVersion = IrVersion,
        ProducerName = "serve-model-maker",
        ProducerVersion = "1",
        OpsetImport = { new OperatorSetIdProto { Domain = "", Version = Opset } },
    };
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

    /// <summary>Sets the description and the version (by default 0).</summary>
    public OnnxGraph Describe(string description, long version)
    {
        model.DocString = description;
        model.ModelVersion = version;
        return this;
    }

    /// <summary>Adds an entry to the custom metadata.</summary>
    public OnnxGraph Property(string key, string value)
    {
        model.MetadataProps.Add(new StringStringEntryProto { Key = key, Value = value });
        return this;
    }

    /// <summary>Adds an input.</summary>
    /// <exception cref="ArgumentException">The name is already used.</exception>
    public OnnxGraph Input(string name, OnnxType type, params ReadOnlySpan<OnnxDimension> shape)
    {
        Define(name);
        graph.Input.Add(Declaration(name, type, shape));
        return this;
    }

    /// <summary>Adds an output.</summary>
    /// <exception cref="ArgumentException">No node defines a value with this name.</exception>
    public OnnxGraph Output(string name, OnnxType type, params ReadOnlySpan<OnnxDimension> shape)
    {
        Require(name);
        graph.Output.Add(Declaration(name, type, shape));
        return this;
    }

    /// <summary>Adds weights: a constant tensor of the given shape; no shape means a scalar.</summary>
    /// <exception cref="ArgumentException">The name is already used, or the shape has another number of elements.</exception>
    public OnnxGraph Weights(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        Constant(name, OnnxType.Float32, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <inheritdoc cref="Weights(string, ReadOnlySpan{float}, ReadOnlySpan{long})"/>
    public OnnxGraph Weights(string name, ReadOnlySpan<long> values, params ReadOnlySpan<long> shape) =>
        Constant(name, OnnxType.Int64, MemoryMarshal.AsBytes(values), values.Length, shape);

    /// <summary>Adds an operator with named inputs (an empty name omits an optional input) and outputs.</summary>
    /// <exception cref="ArgumentException">An input is undefined, or the name of an output is already used.</exception>
    public OnnxGraph Node(string operation, string[] inputs, string[] outputs, params ReadOnlySpan<OnnxAttribute> attributes) =>
        Node("", operation, inputs, outputs, attributes);

    /// <summary>Adds an operator of <see cref="MachineLearning"/>.</summary>
    /// <inheritdoc cref="Node(string, string[], string[], ReadOnlySpan{OnnxAttribute})"/>
    public OnnxGraph MachineLearningNode(string operation, string[] inputs, string[] outputs, params ReadOnlySpan<OnnxAttribute> attributes)
    {
        if (!model.OpsetImport.Any(opset => opset.Domain == MachineLearning))
            model.OpsetImport.Add(new OperatorSetIdProto { Domain = MachineLearning, Version = MachineLearningOpset });
        return Node(MachineLearning, operation, inputs, outputs, attributes);
    }

    /// <summary>Returns the bytes of the file, including the weights.</summary>
    public byte[] ToArray()
    {
        model.Graph = graph;
        return model.ToByteArray();
    }

    /// <summary>Writes the file, and creates its folder if necessary.</summary>
    /// <param name="path">The model file; an existing file is replaced.</param>
    /// <param name="externalData">Stores the weights in a second file with the same name plus ".data".</param>
    public void Save(string path, bool externalData = false)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        model.Graph = externalData ? WithWeightsIn(path + ".data") : graph;
        using var file = File.Create(path);
        model.WriteTo(file);
    }

    internal void RequireOpset(long version) => model.OpsetImport[0].Version = version;

    private GraphProto WithWeightsIn(string path)
    {
        // Runtimes map the file; page-aligned tensors need no copy.
        const int page = 4096;

        var light = graph.Clone();
        using var file = File.Create(path);
        foreach (var tensor in light.Initializer)
        {
            var data = tensor.RawData;
            file.Position = (file.Position + page - 1) / page * page;
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "location", Value = Path.GetFileName(path) });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "offset", Value = $"{file.Position}" });
            tensor.ExternalData.Add(new StringStringEntryProto { Key = "length", Value = $"{data.Length}" });
            tensor.DataLocation = TensorProto.Types.DataLocation.External;
            tensor.ClearRawData();
            data.WriteTo(file);
        }

        return light;
    }

    private OnnxGraph Node(string domain, string operation, string[] inputs, string[] outputs, ReadOnlySpan<OnnxAttribute> attributes)
    {
        foreach (var input in inputs.Where(input => input != ""))
            Require(input);
        foreach (var output in outputs)
            Define(output);

        var node = new NodeProto { OpType = operation, Domain = domain, Name = outputs[0], Input = { inputs }, Output = { outputs } };
        foreach (var attribute in attributes)
            node.Attribute.Add(attribute.Proto);
        graph.Node.Add(node);
        return this;
    }

    private OnnxGraph Constant(string name, OnnxType type, ReadOnlySpan<byte> bytes, int count, ReadOnlySpan<long> shape)
    {
        long room = 1;
        foreach (var length in shape)
            room *= length;
        if (room != count)
            throw new ArgumentException($"The shape of '{name}' holds {room} elements, but {count} came.", nameof(shape));

        Define(name);
        graph.Initializer.Add(new TensorProto { Name = name, DataType = (int)type, Dims = { shape.ToArray() }, RawData = ByteString.CopyFrom(bytes) });
        return this;
    }

    private void Define(string name)
    {
        if (!known.Add(name))
            throw new ArgumentException($"The name '{name}' is taken.", nameof(name));
    }

    private void Require(string name)
    {
        if (!known.Contains(name))
            throw new ArgumentException($"Nothing is named '{name}'.", nameof(name));
    }

    private static ValueInfoProto Declaration(string name, OnnxType type, ReadOnlySpan<OnnxDimension> shape)
    {
        var dimensions = new TensorShapeProto();
        foreach (var dimension in shape)
        {
            dimensions.Dim.Add(dimension.Name is { } axis
                ? new TensorShapeProto.Types.Dimension { DimParam = axis }
                : new TensorShapeProto.Types.Dimension { DimValue = dimension.Length });
        }

        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = dimensions } } };
    }
}
