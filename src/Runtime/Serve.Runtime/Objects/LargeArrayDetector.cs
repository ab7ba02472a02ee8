using Serve.Runtime.Serialization;

namespace Serve.Runtime.Objects;

/// <summary>
/// Detects values that are large arrays of unmanaged elements, which are worth copying to shared memory immediately. Caches what is known about the type.
/// </summary>
internal static class LargeArrayDetector<T>
{
    private static readonly int ElementSize = typeof(T).IsArray && ValueTypeTraits.IsUnmanaged(typeof(T).GetElementType()!) ? ValueTypeTraits.SizeOf(typeof(T).GetElementType()!) : 0;

    public static bool IsLarge(T value) => ElementSize > 0 && value is Array array && array.LongLength * ElementSize >= ISharedMemoryStore.MinimumBytes;
}
