using System.Runtime.InteropServices;

namespace Serve.Runtime.Parallel;

/// <summary>Items of a map in contiguous memory: arrays and lists in place, everything else copied once. Read-only.</summary>
internal readonly struct ContiguousItems<T>
{
    private readonly T[]? _array;
    private readonly List<T>? _list;

    public ContiguousItems(IEnumerable<T> items)
    {
        _list = items as List<T>;
        _array = _list is null ? items as T[] ?? items.ToArray() : null;
    }

    public int Count => _array?.Length ?? _list!.Count;

    public IEnumerable<T> Enumerable => _array is not null ? _array : _list!;

    public ReadOnlySpan<T> Items => _array is not null ? _array : CollectionsMarshal.AsSpan(_list);
}
