namespace Serve;

/// <summary>Datatype of the elements of a tensor: all types that both ONNX Runtime and .NET have. For their names in the Open Inference Protocol see <see cref="TensorTypes.NameOf"/>.</summary>
public enum TensorType
{
    /// <summary><see cref="bool"/>, one byte; <c>BOOL</c>.</summary>
    Bool,

    /// <summary><see cref="byte"/>; <c>UINT8</c>.</summary>
    UInt8,

    /// <summary><see cref="ushort"/>; <c>UINT16</c>.</summary>
    UInt16,

    /// <summary><see cref="uint"/>; <c>UINT32</c>.</summary>
    UInt32,

    /// <summary><see cref="ulong"/>; <c>UINT64</c>.</summary>
    UInt64,

    /// <summary><see cref="sbyte"/>; <c>INT8</c>.</summary>
    Int8,

    /// <summary><see cref="short"/>; <c>INT16</c>.</summary>
    Int16,

    /// <summary><see cref="int"/>; <c>INT32</c>.</summary>
    Int32,

    /// <summary><see cref="long"/>; <c>INT64</c>.</summary>
    Int64,

    /// <summary><see cref="Half"/>, IEEE 754 binary16; <c>FP16</c>.</summary>
    Float16,

    /// <summary><see cref="Serve.BFloat16"/>, the upper half of a <see cref="float"/>; <c>BF16</c>.</summary>
    BFloat16,

    /// <summary><see cref="float"/>; <c>FP32</c>.</summary>
    Float32,

    /// <summary><see cref="double"/>; <c>FP64</c>.</summary>
    Float64,

    /// <summary><see cref="string"/>, UTF-8 on the wire; <c>BYTES</c>.</summary>
    String,
}
