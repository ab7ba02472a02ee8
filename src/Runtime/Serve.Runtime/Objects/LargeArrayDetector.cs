using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>Whether values of a type may be large unmanaged memory, which is worth copying into shared memory before anyone asks. Holds what is known of the type.</summary>
internal static class LargeArrayDetector<T>
{
    private static readonly int ElementSize = typeof(T).IsArray && ValueTypeTraits.IsUnmanaged(typeof(T).GetElementType()!) ? ValueTypeTraits.SizeOf(typeof(T).GetElementType()!) : 0;

    public static bool IsLarge(T value) => ElementSize > 0 && value is Array array && array.LongLength * ElementSize >= ISharedMemoryStore.MinimumBytes;
}
