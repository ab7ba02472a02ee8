using Google.Protobuf;

namespace Serve.Cli.Build;

/// <summary>
/// Finds the files beside an ONNX file in which it keeps large tensors, by walking its protobuf (onnx.proto): every TensorProto anywhere in it may have
/// <c>external_data</c> with the key <c>location</c>. Nothing but lengths and those entries is read, so a large file costs little.
/// </summary>
internal static class ExternalData
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
    private static readonly Dictionary<Kind, Dictionary<int, Kind>> Within = new()
    {
        [Kind.Model] = new() { [ModelGraph] = Kind.Graph, [ModelTrainingInfo] = Kind.Training, [ModelFunctions] = Kind.Function },
        [Kind.Training] = new() { [1] = Kind.Graph, [2] = Kind.Graph },
        [Kind.Function] = new() { [7] = Kind.Node, [11] = Kind.Attribute },
        [Kind.Graph] = new() { [1] = Kind.Node, [5] = Kind.Tensor, [15] = Kind.Sparse },
        [Kind.Node] = new() { [5] = Kind.Attribute },
        [Kind.Attribute] = new() { [5] = Kind.Tensor, [6] = Kind.Graph, [10] = Kind.Tensor, [11] = Kind.Graph, [22] = Kind.Sparse, [23] = Kind.Sparse },
        [Kind.Sparse] = new() { [1] = Kind.Tensor, [2] = Kind.Tensor },
        [Kind.Tensor] = new() { [13] = Kind.Entry },
    };

    private enum Kind
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
    public static IReadOnlyCollection<string> Find(string model)
    {
        SortedSet<string> found = new(StringComparer.Ordinal);
        using var stream = File.OpenRead(model);
        try
        {
            using var file = new CodedInputStream(stream, leaveOpen: true);
            Walk(file, Kind.Model, stream.Length, depth: 0, found);
        }
        catch (Exception thrown) when (thrown is InvalidProtocolBufferException or InvalidDataException)
        {
            return [];
        }

        return found;
    }

    private static void Walk(CodedInputStream input, Kind kind, long end, int depth, SortedSet<string> found)
    {
        if (depth > Deepest)
            throw new InvalidDataException("Messages lie in each other deeper than a reader goes.");
        while (input.Position < end && input.ReadTag() is not 0 and var tag)
        {
            if (WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited
                && Within[kind].TryGetValue(WireFormat.GetTagFieldNumber(tag), out var inner))
            {
                var length = input.ReadLength();
                if (inner == Kind.Entry)
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
