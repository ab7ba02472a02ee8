using ModelMaker.Onnx;

namespace ModelMaker;

/// <summary>
/// Returns its inputs unchanged: for each datatype of the Open Inference Protocol an input <c>in_bool</c>, <c>in_uint8</c> … of shape [N]
/// and an output <c>out_bool</c>, <c>out_uint8</c> … of the same.
/// </summary>
public static class TypesModel
{
    /// <summary>Types by their names in the protocol, in the order of the model's inputs.</summary>
    public static IReadOnlyList<(string Datatype, OnnxType Type)> Types { get; } =
    [
        ("BOOL", OnnxType.Bool),
        ("UINT8", OnnxType.UInt8), ("UINT16", OnnxType.UInt16), ("UINT32", OnnxType.UInt32), ("UINT64", OnnxType.UInt64),
        ("INT8", OnnxType.Int8), ("INT16", OnnxType.Int16), ("INT32", OnnxType.Int32), ("INT64", OnnxType.Int64),
        ("FP16", OnnxType.Float16), ("BF16", OnnxType.BFloat16), ("FP32", OnnxType.Float32), ("FP64", OnnxType.Float64),
        ("BYTES", OnnxType.String),
    ];

    /// <summary>Builds the model for all types, or for the given ones of <see cref="Types"/>, since a call has to pass all inputs.</summary>
    /// <exception cref="ArgumentException">A datatype that the protocol does not have.</exception>
    public static OnnxGraph Build(params IReadOnlyCollection<string> datatypes)
    {
        if (datatypes.Except(Types.Select(type => type.Datatype)).FirstOrDefault() is { } unknown)
            throw new ArgumentException($"There is no datatype '{unknown}'.", nameof(datatypes));

        var graph = new OnnxGraph("types").Describe("Each input comes back as it went in.", version: 1);
        foreach (var (datatype, type) in Types.Where(type => datatypes.Count == 0 || datatypes.Contains(type.Datatype)))
        {
            var (input, output) = (InputOf(datatype), OutputOf(datatype));
            graph.Input(input, type, "N").Node("Identity", [input], [output]).Output(output, type, "N");
        }

        return graph;
    }

    public static string InputOf(string datatype) => "in_" + Suffix(datatype);

    public static string OutputOf(string datatype) => "out_" + Suffix(datatype);

    private static string Suffix(string datatype) => string.Create(datatype.Length, datatype, (span, text) => text.AsSpan().ToLowerInvariant(span));
}
