using Google.Protobuf;

namespace Serve.Controller.Packages;

/// <summary>
/// Finds the external data files of an ONNX model, in which it stores large tensors, by walking its protobuf (onnx.proto): each TensorProto may have
/// <c>external_data</c> with the key <c>location</c>. Only lengths and these entries are read, so the cost is small for large files.
/// </summary>
internal static class OnnxExternalDataFinder
{
    // Field numbers of onnx.proto.
    private const int ModelGraph = 7;
    private const int ModelTrainingInfo = 20;
    private const int ModelFunctions = 25;
    private const int EntryKey = 1;
    private const int EntryValue = 2;
    private const string Location = "location";

    // The recursion limit of protobuf's own readers, including ONNX Runtime's.
    private const int MaxDepth = 100;

    /// <summary>Fields that may lead to a tensor, by kind of message: field number and kind of the nested message.</summary>
    private static readonly Dictionary<OnnxMessageKind, Dictionary<int, OnnxMessageKind>> NestedMessages = new()
    {
        [OnnxMessageKind.Model] = new() { [ModelGraph] = OnnxMessageKind.Graph, [ModelTrainingInfo] = OnnxMessageKind.Training, [ModelFunctions] = OnnxMessageKind.Function },
        [OnnxMessageKind.Training] = new() { [1] = OnnxMessageKind.Graph, [2] = OnnxMessageKind.Graph },
        [OnnxMessageKind.Function] = new() { [7] = OnnxMessageKind.Node, [11] = OnnxMessageKind.Attribute },
        [OnnxMessageKind.Graph] = new() { [1] = OnnxMessageKind.Node, [5] = OnnxMessageKind.Tensor, [15] = OnnxMessageKind.Sparse },
        [OnnxMessageKind.Node] = new() { [5] = OnnxMessageKind.Attribute },
        [OnnxMessageKind.Attribute] = new()
        {
            [5] = OnnxMessageKind.Tensor, [6] = OnnxMessageKind.Graph, [10] = OnnxMessageKind.Tensor, [11] = OnnxMessageKind.Graph, [22] = OnnxMessageKind.Sparse, [23] = OnnxMessageKind.Sparse,
        },
        [OnnxMessageKind.Sparse] = new() { [1] = OnnxMessageKind.Tensor, [2] = OnnxMessageKind.Tensor },
        [OnnxMessageKind.Tensor] = new() { [13] = OnnxMessageKind.Entry },
    };

    private enum OnnxMessageKind
    {
        Model,
        Training,
        Function,
        Graph,
        Node,
        Attribute,
        Sparse,
        Tensor,
        Entry,
    }

    /// <summary>Returns the distinct locations of external data, as written in the model. Empty if the file is not an ONNX model; ONNX Runtime reports the details.</summary>
    /// <param name="model">The ONNX file.</param>
    public static IReadOnlyCollection<string> FindLocations(string model)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        using var stream = File.OpenRead(model);
        try
        {
            using var file = new CodedInputStream(stream, leaveOpen: true);
            Walk(file, OnnxMessageKind.Model, stream.Length, depth: 0, found);
        }
        catch (Exception thrown) when (thrown is InvalidProtocolBufferException or InvalidDataException)
        {
            return [];
        }

        return found;
    }

    private static void Walk(CodedInputStream input, OnnxMessageKind kind, long end, int depth, SortedSet<string> found)
    {
        if (depth > MaxDepth)
            throw new InvalidDataException($"Nesting depth of messages exceeds {MaxDepth}.");
        while (input.Position < end && input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited
                && NestedMessages[kind].TryGetValue(WireFormat.GetTagFieldNumber(tag), out var inner))
            {
                var length = input.ReadLength();
                if (inner == OnnxMessageKind.Entry)
                    ReadEntry(input, input.Position + length, found);
                else
                    Walk(input, inner, input.Position + length, depth + 1, found);
            }
            else
            {
                input.SkipLastField();
            }
        }
    }

    private static void ReadEntry(CodedInputStream input, long end, SortedSet<string> found)
    {
        string? key = null, value = null;
        while (input.Position < end && input.ReadTag() is not 0 and var tag)
        {
            switch (WireFormat.GetTagFieldNumber(tag))
            {
                case EntryKey:
                    key = input.ReadString();
                    break;
                case EntryValue:
                    value = input.ReadString();
                    break;
                default:
                    input.SkipLastField();
                    break;
            }
        }

        if (key == Location && !string.IsNullOrEmpty(value))
            found.Add(value);
    }
}
