using System.Collections.Concurrent;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Serve.Runtime.Objects;

/// <summary>
/// Creates arrays whose pages are those of a segment, so that many processes read one copy. The collector allocates the array as usual; then the pages that
/// contain only its elements are replaced by the segment's, copy-on-write. To the collector it is an ordinary array. docs/decisions/0007 explains why this is
/// safe.
/// </summary>
internal static unsafe class MappedArrayFactory
{
    /// <summary>Minimum size of mapped arrays; smaller ones are copied, which is faster than changing mappings.</summary>
    public const long Least = 1 << 20;

    private const int RegionHeader = 0x28;
    private const int LargeObjectPadding = 0x20;
    private const int ArrayHeader = 0x10;
    private const int SmallestArray = 24;
    private const int Attempts = 8;

    // Larger arrays are allocated in a region of their own, with nothing in front of them.
    private const long LargestMoved = 64 << 20;

    // The kernel allows 65,530 mappings per process; each array needs up to three.
    private const int Most = 8192;

    private static readonly ConditionalWeakTable<Array, MappedArrayPages> Pages = [];
    private static readonly ConcurrentDictionary<Type, Func<int, Array>> Allocators = new();
    private static readonly MethodInfo Allocator = typeof(MappedArrayFactory).GetMethod(nameof(Allocate), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static int _count;

    public static int Count => Volatile.Read(ref _count);

    /// <summary>Offset in its page of the first element of an array that has a region of its own.</summary>
    public static int DataOffset(int rank) =>
        rank == 1 ? RegionHeader + ArrayHeader : RegionHeader + LargeObjectPadding + ArrayHeader + (2 * sizeof(int) * rank);

    /// <summary>Returns an array with a segment's elements: mapped if possible, otherwise copied.</summary>
    public static Array Read(SharedMemorySegment segment, Type element, int elementSize, long[]? lengths)
    {
        var length = checked((int)(segment.Length / elementSize));
        var fits = SharedMemorySegment.InMemory && segment.Length >= Least && Count < Most;
        Array array;
        if (lengths is not null)
        {
            array = Array.CreateInstance(element, lengths);
            if (fits && TryMapPages(array, segment))
                return array;
        }
        else
        {
            var allocate = Allocators.GetOrAdd(element, static type => Allocator.MakeGenericMethod(type).CreateDelegate<Func<int, Array>>());
            array = allocate(length);
            if (fits && (TryMapPages(array, segment) || (segment.Length < LargestMoved && TryMoveToRegion(ref array, segment, allocate, length))))
                return array;
        }

        using var mapping = segment.Map();
        fixed (byte* data = &MemoryMarshal.GetArrayDataReference(array))
            Buffer.MemoryCopy(mapping.Pointer, data, segment.Length, segment.Length);
        return array;
    }

    private static T[] Allocate<T>(int length) => GC.AllocateUninitializedArray<T>(length, pinned: true);

    // The next array begins where this one ends. A filler array of the right length between them moves it to the offset at which its pages fit the segment's.
    // The filler must not be shorter, or the collector would place it in a gap that was too small for the array. It is never written and takes only addresses.
    private static bool TryMoveToRegion(ref Array array, SharedMemorySegment segment, Func<int, Array> allocate, int length)
    {
        var kept = new List<Array> { array };
        for (var attempt = 0; attempt < Attempts; attempt++)
        {
            long next;
            fixed (byte* data = &MemoryMarshal.GetArrayDataReference(array))
                next = (long)data + Align(segment.Length) + SmallestArray;
            var between = segment.Length & -SharedMemorySegment.PageSize;
            between += SharedMemorySegment.PageSize + ((segment.Offset - next) & (SharedMemorySegment.PageSize - 1));
            kept.Add(GC.AllocateUninitializedArray<byte>(checked((int)between) - SmallestArray, pinned: true));
            array = allocate(length);
            kept.Add(array);
            if (TryMapPages(array, segment))
                return true;
        }

        GC.KeepAlive(kept);
        return false;
    }

    private static long Align(long bytes) => (bytes + 7) & ~7L;

    private static bool TryMapPages(Array array, SharedMemorySegment segment)
    {
        var pin = GCHandle.Alloc(array, GCHandleType.Pinned);
        try
        {
            var data = (byte*)pin.AddrOfPinnedObject();
            var first = (byte*)(((nint)data + SharedMemorySegment.PageSize - 1) & ~(nint)(SharedMemorySegment.PageSize - 1));
            var offset = segment.Offset + (first - data);
            if (offset % SharedMemorySegment.PageSize != 0)
                return false;
            var length = (nint)(segment.Length - (first - data)) & ~(nint)(SharedMemorySegment.PageSize - 1);
            if (!LinuxSharedMemory.ReplacePages((nint)first, length, segment.File, offset))
                return false;
            segment.AddArrayView();
            Pages.Add(array, new(array, segment, (nint)data, (nint)first, length));
            Interlocked.Increment(ref _count);
            CopyRest(segment, data, first - data, length);
            return true;
        }
        finally
        {
            pin.Free();
        }
    }

    // The parts before the first whole page and after the last one.
    private static void CopyRest(SharedMemorySegment segment, byte* data, long before, long covered)
    {
        RandomAccess.Read(segment.File, new Span<byte>(data, (int)before), segment.Offset);
        var after = before + covered;
        RandomAccess.Read(segment.File, new Span<byte>(data + after, (int)(segment.Length - after)), segment.Offset + after);
    }

    /// <summary>Returns an array's pages before the collector can reuse them: it keeps the array alive until then.</summary>
    private sealed class MappedArrayPages(Array array, SharedMemorySegment segment, nint data, nint first, nint length)
    {
        /// <summary>Kept open as long as the array lives, so that later readers share the array.</summary>
        public SharedMemorySegment Segment => segment;

        ~MappedArrayPages()
        {
            // Multi-dimensional arrays cannot be allocated as pinned. If the array was moved, its old pages belong to other objects.
            fixed (byte* now = &MemoryMarshal.GetArrayDataReference(array))
            {
                if ((nint)now == data)
                    LinuxSharedMemory.RestorePages(first, length);
            }

            segment.RemoveArrayView();
            Interlocked.Decrement(ref _count);
        }
    }
}
