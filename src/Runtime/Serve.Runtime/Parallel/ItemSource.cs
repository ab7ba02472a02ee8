using System.Runtime.InteropServices;

namespace Serve.Runtime.Parallel;

/// <summary>The items of a map, side by side in memory: an array or a list as it is, everything else copied once. Nothing of it is written.</summary>
internal readonly struct ItemSource<T>
{
    private readonly T[]? array;
    private readonly List<T>? list;

    public ItemSource(IEnumerable<T> items)
    {
        list = items as List<T>;
        array = list is null ? items as T[] ?? items.ToArray() : null;
    }

    public int Count => array?.Length ?? list!.Count;

    public IEnumerable<T> Enumerable => array is not null ? array : list!;

    public ReadOnlySpan<T> Items => array is not null ? array : CollectionsMarshal.AsSpan(list);
}
