using System.Collections.Frozen;
using System.Runtime.CompilerServices;

namespace Serve;

/// <summary>The table of datatypes: .NET type, size and name in the Open Inference Protocol for each <see cref="TensorType"/>.</summary>
public static class TensorTypes
{
    private static readonly (TensorType Type, Type Element, int Size, string Name)[] Table =
    [
        (TensorType.Bool, typeof(bool), 1, "BOOL"),
        (TensorType.UInt8, typeof(byte), 1, "UINT8"),
        (TensorType.UInt16, typeof(ushort), 2, "UINT16"),
        (TensorType.UInt32, typeof(uint), 4, "UINT32"),
        (TensorType.UInt64, typeof(ulong), 8, "UINT64"),
        (TensorType.Int8, typeof(sbyte), 1, "INT8"),
        (TensorType.Int16, typeof(short), 2, "INT16"),
        (TensorType.Int32, typeof(int), 4, "INT32"),
        (TensorType.Int64, typeof(long), 8, "INT64"),
        (TensorType.Float16, typeof(Half), 2, "FP16"),
        (TensorType.BFloat16, typeof(BFloat16), 2, "BF16"),
        (TensorType.Float32, typeof(float), 4, "FP32"),
        (TensorType.Float64, typeof(double), 8, "FP64"),
        (TensorType.String, typeof(string), 0, "BYTES"),
    ];

    private static readonly FrozenDictionary<string, TensorType> ByName = Table.ToFrozenDictionary(row => row.Name, row => row.Type, StringComparer.Ordinal);
    private static readonly FrozenDictionary<Type, TensorType> ByElement = Table.ToFrozenDictionary(row => row.Element, row => row.Type);

    /// <summary>Gets the names in the protocol, in the order of <see cref="TensorType"/>.</summary>
    public static IEnumerable<string> Names => Table.Select(static row => row.Name);

    /// <summary>Gets the name of a datatype in the Open Inference Protocol, for instance <c>FP32</c>.</summary>
    /// <param name="type">The type.</param>
    /// <returns>The name.</returns>
    public static string NameOf(TensorType type) => Table[(int)type].Name;

    /// <summary>Gets the .NET type of an element.</summary>
    /// <param name="type">The type.</param>
    /// <returns>For instance <see cref="float"/>.</returns>
    public static Type ElementOf(TensorType type) => Table[(int)type].Element;

    /// <summary>Gets the size of an element in bytes; 0 for strings.</summary>
    /// <param name="type">The type.</param>
    /// <returns>1 to 8, or 0.</returns>
    public static int SizeOf(TensorType type) => Table[(int)type].Size;

    /// <summary>Parses the name of a datatype in the protocol; case-sensitive.</summary>
    /// <param name="name">For instance <c>FP32</c>.</param>
    /// <param name="type">The type.</param>
    /// <returns>Whether the name is valid.</returns>
    public static bool TryParse(string name, out TensorType type) => ByName.TryGetValue(name, out type);

    /// <summary>Gets the datatype of elements of type <typeparamref name="T"/>.</summary>
    /// <typeparam name="T">One of the .NET types in <see cref="TensorType"/>.</typeparam>
    /// <returns>The type.</returns>
    /// <exception cref="NotSupportedException">Tensors do not support the type.</exception>
    public static TensorType Of<T>() => Cache<T>.Type
        ?? throw new NotSupportedException($"Elements of type {typeof(T)} are not supported. Supported types: {string.Join(", ", Table.Select(row => row.Element.Name))}.");

    /// <summary>Invokes an operation with the .NET type of a datatype. Strings, whose elements have no fixed size, are not supported.</summary>
    /// <typeparam name="TOperation">The operation: a struct, so that its calls are direct.</typeparam>
    /// <typeparam name="TResult">Its result.</typeparam>
    /// <param name="type">The datatype.</param>
    /// <param name="operation">The operation.</param>
    /// <returns>The operation's result.</returns>
    /// <exception cref="NotSupportedException">The datatype is <see cref="TensorType.String"/>.</exception>
    public static TResult Dispatch<TOperation, TResult>(TensorType type, TOperation operation)
        where TOperation : struct, ITensorOperation<TResult> => type switch
    {
        TensorType.Bool => operation.Invoke<bool>(),
        TensorType.UInt8 => operation.Invoke<byte>(),
        TensorType.UInt16 => operation.Invoke<ushort>(),
        TensorType.UInt32 => operation.Invoke<uint>(),
        TensorType.UInt64 => operation.Invoke<ulong>(),
        TensorType.Int8 => operation.Invoke<sbyte>(),
        TensorType.Int16 => operation.Invoke<short>(),
        TensorType.Int32 => operation.Invoke<int>(),
        TensorType.Int64 => operation.Invoke<long>(),
        TensorType.Float16 => operation.Invoke<Half>(),
        TensorType.BFloat16 => operation.Invoke<BFloat16>(),
        TensorType.Float32 => operation.Invoke<float>(),
        TensorType.Float64 => operation.Invoke<double>(),
        _ => throw new NotSupportedException("Strings have no fixed size; create a tensor from a string array."),
    };

    /// <summary>Returns whether elements of type <typeparamref name="T"/> have a fixed size.</summary>
    internal static bool IsFlat<T>() => !RuntimeHelpers.IsReferenceOrContainsReferences<T>();

    private static class Cache<T>
    {
        public static readonly TensorType? Type = ByElement.TryGetValue(typeof(T), out var type) ? type : null;
    }
}

/// <summary>An operation that is generic over the element type of a tensor; see <see cref="TensorTypes.Dispatch{TOperation, TResult}"/>.</summary>
/// <typeparam name="TResult">The result.</typeparam>
public interface ITensorOperation<out TResult>
{
    /// <summary>Runs the operation.</summary>
    /// <typeparam name="T">Gets the .NET type of an element.</typeparam>
    /// <returns>The result.</returns>
    TResult Invoke<T>()
        where T : unmanaged;
}
