using System.Runtime.InteropServices;

namespace Serve.Runtime.Parallel;

/// <summary>The items of a map, side by side in memory: an array or a list as it is, everything else copied once. Nothing of it is written.</summary>
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
