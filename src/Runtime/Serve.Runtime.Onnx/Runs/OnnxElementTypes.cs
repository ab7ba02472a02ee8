using Microsoft.ML.OnnxRuntime.Tensors;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>Maps tensor element types to those of ONNX Runtime.</summary>
internal static class OnnxElementTypes
{
    private static readonly TensorElementType[] Table =
    [
        TensorElementType.Bool, TensorElementType.UInt8, TensorElementType.UInt16, TensorElementType.UInt32, TensorElementType.UInt64,
        TensorElementType.Int8, TensorElementType.Int16, TensorElementType.Int32, TensorElementType.Int64,
        TensorElementType.Float16, TensorElementType.BFloat16, TensorElementType.Float, TensorElementType.Double, TensorElementType.String,
    ];

    public static TensorElementType Of(TensorType type) => Table[(int)type];

    /// <returns>The element type; null if .NET has no such type.</returns>
    public static TensorType? Of(TensorElementType type)
    {
        var index = Array.IndexOf(Table, type);
        return index < 0 ? null : (TensorType)index;
    }
}
