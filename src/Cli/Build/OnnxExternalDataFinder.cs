using Google.Protobuf;

namespace Serve.Cli.Build;

/// <summary>
/// Finds the files beside an ONNX file in which it keeps large tensors, by walking its protobuf (onnx.proto): every TensorProto anywhere in it may have
/// <c>external_data</c> with the key <c>location</c>. Nothing but lengths and those entries is read, so a large file costs little.
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

    // As deep as protobuf's own readers go, ONNX Runtime's too.
    private const int Deepest = 100;

    /// <summary>What lies within a message that may lead to a tensor: field number to the kind of message there.</summary>
    private static readonly Dictionary<OnnxMessageKind, Dictionary<int, OnnxMessageKind>> Within = new()
    {
        [OnnxMessageKind.Model] = new() { [ModelGraph] = OnnxMessageKind.Graph, [ModelTrainingInfo] = OnnxMessageKind.Training, [ModelFunctions] = OnnxMessageKind.Function },
        [OnnxMessageKind.Training] = new() { [1] = OnnxMessageKind.Graph, [2] = OnnxMessageKind.Graph },
        [OnnxMessageKind.Function] = new() { [7] = OnnxMessageKind.Node, [11] = OnnxMessageKind.Attribute },
        [OnnxMessageKind.Graph] = new() { [1] = OnnxMessageKind.Node, [5] = OnnxMessageKind.Tensor, [15] = OnnxMessageKind.Sparse },
        [OnnxMessageKind.Node] = new() { [5] = OnnxMessageKind.Attribute },
        [OnnxMessageKind.Attribute] = new() { [5] = OnnxMessageKind.Tensor, [6] = OnnxMessageKind.Graph, [10] = OnnxMessageKind.Tensor, [11] = OnnxMessageKind.Graph, [22] = OnnxMessageKind.Sparse, [23] = OnnxMessageKind.Sparse },
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

    /// <summary>Finds them.</summary>
    /// <param name="model">The ONNX file.</param>
    /// <returns>Their names as written, each once; none when the file is no ONNX model, of which ONNX Runtime tells more.</returns>
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
        if (depth > Deepest)
            throw new InvalidDataException("Messages lie in each other deeper than a reader goes.");
        while (input.Position < end && input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited
                && Within[kind].TryGetValue(WireFormat.GetTagFieldNumber(tag), out var inner))
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
