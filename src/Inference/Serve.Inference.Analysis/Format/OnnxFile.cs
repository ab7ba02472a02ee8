namespace Serve.Inference.Analysis.Format;

/// <summary>The parts of an ONNX file (onnx.proto's ModelProto) that the analysis reads: graph, opsets and local functions.</summary>
internal sealed class OnnxFile
{
    private const int MaxNesting = 64;

    public OnnxGraph Graph { get; private set; } = new();

    /// <summary>Imported opset version by domain; the default domain is the empty string.</summary>
    public Dictionary<string, long> Opsets { get; } = [];

    public Dictionary<(string Domain, string Name, string Overload), OnnxFunction> Functions { get; } = [];

    /// <exception cref="InvalidDataException">The bytes are not a protobuf message of this kind.</exception>
    public static OnnxFile Parse(ReadOnlyMemory<byte> bytes)
    {
        var file = new OnnxFile();
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 7:
                    file.Graph = OnnxGraph.Parse(reader.Bytes, depth: 0);
                    break;
                case 8:
                    var (domain, version) = ParseOpset(reader.Bytes);
                    file.Opsets[domain] = version;
                    break;
                case 25:
                    var function = OnnxFunction.Parse(reader.Bytes);
                    file.Functions[(function.Domain, function.Name, function.Overload)] = function;
                    break;
            }
        }

        return file;
    }

    internal static (string Domain, long Version) ParseOpset(ReadOnlyMemory<byte> bytes)
    {
        var (domain, version) = ("", 0L);
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            if (reader.Field == 1)
                domain = DomainOf(reader.Text);
            else if (reader.Field == 2)
                version = (long)reader.Value;
        }

        return (domain, version);
    }

    internal static string DomainOf(string text) => text == "ai.onnx" ? "" : text;

    internal static int Deeper(int depth) =>
        depth < MaxNesting ? depth + 1 : throw new InvalidDataException($"Graphs are nested more than {MaxNesting} levels deep.");
}

/// <summary>A graph of nodes: the model's own, or a branch or body of a control flow operator.</summary>
internal sealed class OnnxGraph
{
    public List<OnnxNode> Nodes { get; } = [];

    public List<OnnxTensor> Initializers { get; } = [];

    public List<OnnxValueInfo> Inputs { get; } = [];

    public List<OnnxValueInfo> Outputs { get; } = [];

    public static OnnxGraph Parse(ReadOnlyMemory<byte> bytes, int depth)
    {
        var graph = new OnnxGraph();
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    graph.Nodes.Add(OnnxNode.Parse(reader.Bytes, depth));
                    break;
                case 5:
                    graph.Initializers.Add(OnnxTensor.Parse(reader.Bytes));
                    break;
                case 11:
                    graph.Inputs.Add(OnnxValueInfo.Parse(reader.Bytes));
                    break;
                case 12:
                    graph.Outputs.Add(OnnxValueInfo.Parse(reader.Bytes));
                    break;
            }
        }

        return graph;
    }
}

/// <summary>One call of an operator.</summary>
internal sealed class OnnxNode
{
    public string Name { get; init; } = "";

    public string Operator { get; init; } = "";

    public string Domain { get; init; } = "";

    public string Overload { get; init; } = "";

    /// <summary>Names of the inputs; an omitted optional input is the empty string.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    public IReadOnlyList<string> Outputs { get; init; } = [];

    public Dictionary<string, OnnxAttribute> Attributes { get; init; } = [];

    public static OnnxNode Parse(ReadOnlyMemory<byte> bytes, int depth)
    {
        List<string> inputs = [], outputs = [];
        Dictionary<string, OnnxAttribute> attributes = [];
        var (name, op, domain, overload) = ("", "", "", "");
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    inputs.Add(reader.Text);
                    break;
                case 2:
                    outputs.Add(reader.Text);
                    break;
                case 3:
                    name = reader.Text;
                    break;
                case 4:
                    op = reader.Text;
                    break;
                case 5:
                    var attribute = OnnxAttribute.Parse(reader.Bytes, depth);
                    attributes[attribute.Name] = attribute;
                    break;
                case 7:
                    domain = OnnxFile.DomainOf(reader.Text);
                    break;
                case 8:
                    overload = reader.Text;
                    break;
            }
        }

        return new() { Name = name, Operator = op, Domain = domain, Overload = overload, Inputs = inputs, Outputs = outputs, Attributes = attributes };
    }

    /// <summary>Operator and name for messages, e.g. <c>LSTM 'Y0'</c>; a node without a name is called by its first output.</summary>
    public override string ToString() =>
        $"{(Domain.Length == 0 ? "" : Domain + ".")}{Operator} '{(Name.Length > 0 ? Name : Outputs.FirstOrDefault(output => output.Length > 0) ?? "")}'";
}

/// <summary>An attribute of a node. Only the field of its own type is set.</summary>
internal sealed record OnnxAttribute
{
    private const int MaxTextLength = 4096;
    private const int MaxListLength = 4096;

    public string Name { get; init; } = "";

    /// <summary>Name of the function's attribute whose value this one has; empty outside of functions.</summary>
    public string Reference { get; init; } = "";

    public long Integer { get; init; }

    public string Text { get; init; } = "";

    public OnnxTensor? Tensor { get; init; }

    public OnnxGraph? Graph { get; init; }

    public long[] Integers { get; init; } = [];

    public double[] Floats { get; init; } = [];

    /// <summary>Whether it is a list of graphs.</summary>
    public bool HasGraphList { get; init; }

    public static OnnxAttribute Parse(ReadOnlyMemory<byte> bytes, int depth)
    {
        var attribute = new OnnxAttribute();
        List<long> integers = [];
        List<double> floats = [];
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    attribute = attribute with { Name = reader.Text };
                    break;
                case 3:
                    attribute = attribute with { Integer = (long)reader.Value };
                    break;
                case 4 when reader.Bytes.Length <= MaxTextLength:
                    attribute = attribute with { Text = reader.Text };
                    break;
                case 5:
                    attribute = attribute with { Tensor = OnnxTensor.Parse(reader.Bytes) };
                    break;
                case 6:
                    attribute = attribute with { Graph = OnnxGraph.Parse(reader.Bytes, OnnxFile.Deeper(depth)) };
                    break;
                case 7:
                    OnnxTensor.AppendFloats(ref reader, floats, MaxListLength);
                    break;
                case 8 when integers.Count < MaxListLength && reader.Bytes.Length <= MaxTextLength:
                    reader.AppendIntegers(integers);
                    break;
                case 11:
                    attribute = attribute with { HasGraphList = true };
                    break;
                case 21:
                    attribute = attribute with { Reference = reader.Text };
                    break;
            }
        }

        return attribute with { Integers = [.. integers], Floats = [.. floats] };
    }
}

/// <summary>A model-local function: nodes that a call of it stands for.</summary>
internal sealed class OnnxFunction
{
    public string Name { get; private set; } = "";

    public string Domain { get; private set; } = "";

    public string Overload { get; private set; } = "";

    public List<string> Inputs { get; } = [];

    public List<string> Outputs { get; } = [];

    public List<OnnxNode> Nodes { get; } = [];

    public List<OnnxAttribute> Defaults { get; } = [];

    public Dictionary<string, long> Opsets { get; } = [];

    public static OnnxFunction Parse(ReadOnlyMemory<byte> bytes)
    {
        var function = new OnnxFunction();
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            switch (reader.Field)
            {
                case 1:
                    function.Name = reader.Text;
                    break;
                case 4:
                    function.Inputs.Add(reader.Text);
                    break;
                case 5:
                    function.Outputs.Add(reader.Text);
                    break;
                case 7:
                    function.Nodes.Add(OnnxNode.Parse(reader.Bytes, depth: 0));
                    break;
                case 9:
                    var (domain, version) = OnnxFile.ParseOpset(reader.Bytes);
                    function.Opsets[domain] = version;
                    break;
                case 10:
                    function.Domain = OnnxFile.DomainOf(reader.Text);
                    break;
                case 11:
                    function.Defaults.Add(OnnxAttribute.Parse(reader.Bytes, depth: 0));
                    break;
                case 13:
                    function.Overload = reader.Text;
                    break;
            }
        }

        return function;
    }
}

/// <summary>Name, element type and shape of a graph's input or output.</summary>
internal sealed class OnnxValueInfo
{
    public string Name { get; private set; } = "";

    /// <summary>Whether its type is a dense tensor, and not a sequence, map, optional or sparse tensor.</summary>
    public bool IsTensor { get; private set; }

    /// <summary>Lengths; null where a length is open. Null as a whole when the rank is not declared.</summary>
    public long?[]? Shape { get; private set; }

    public static OnnxValueInfo Parse(ReadOnlyMemory<byte> bytes)
    {
        var value = new OnnxValueInfo();
        var reader = new OnnxFieldReader(bytes);
        while (reader.Read())
        {
            if (reader.Field == 1)
                value.Name = reader.Text;
            else if (reader.Field == 2)
                value.ParseType(reader.Bytes);
        }

        return value;
    }

    private void ParseType(ReadOnlyMemory<byte> bytes)
    {
        var type = new OnnxFieldReader(bytes);
        while (type.Read())
        {
            if (type.Field != 1)
                continue;
            var tensor = new OnnxFieldReader(type.Bytes);
            while (tensor.Read())
            {
                if (tensor.Field == 1)
                    IsTensor = tensor.Value != 0;
                else if (tensor.Field == 2)
                    Shape = ParseShape(tensor.Bytes);
            }
        }
    }

    private static long?[] ParseShape(ReadOnlyMemory<byte> bytes)
    {
        List<long?> lengths = [];
        var shape = new OnnxFieldReader(bytes);
        while (shape.Read())
        {
            if (shape.Field != 1)
                continue;
            long? length = null;
            var dimension = new OnnxFieldReader(shape.Bytes);
            while (dimension.Read())
            {
                if (dimension.Field == 1)
                    length = (long)dimension.Value;
            }

            lengths.Add(length is >= 0 ? length : null);
        }

        return [.. lengths];
    }
}
