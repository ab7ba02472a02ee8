using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>Shared memory of a process, in which large values are stored.</summary>
public interface ISharedMemoryStore
{
    /// <summary>Minimum size in bytes of values stored in shared memory.</summary>
    const long MinimumBytes = 100 * 1024;

    /// <summary>Copies bytes into shared memory.</summary>
    /// <exception cref="InsufficientResourcesException">No memory is available, and none can be freed.</exception>
    unsafe EncodedObject Store(IValueCodec codec, EncodedValueShape shape, byte* start, long length, IReadOnlyList<object> references);

    /// <summary>Adopts a segment created by another process.</summary>
    EncodedObject Adopt(IValueCodec codec, EncodedValueShape shape, SharedMemorySegment segment, IReadOnlyList<object> references, IPeerReferenceResolver peer);
}

/// <summary>
/// Detects values that are large arrays of unmanaged elements, which are worth copying to shared memory immediately. Caches the result per type.
/// </summary>
internal static class LargeArrayDetector<T>
{
    private static readonly int ElementSize = typeof(T).IsArray && ValueTypeTraits.IsUnmanaged(typeof(T).GetElementType()!) ? ValueTypeTraits.SizeOf(typeof(T).GetElementType()!) : 0;

    public static bool IsLarge(T value) => ElementSize > 0 && value is Array array && array.LongLength * ElementSize >= ISharedMemoryStore.MinimumBytes;
}
