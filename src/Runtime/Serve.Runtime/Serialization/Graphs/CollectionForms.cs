using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Reflection;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>Forms of the generic collections and comparers of the platform: their items in order, with their comparers.</summary>
internal static class CollectionForms
{
    private static readonly FrozenDictionary<string, MethodInfo> Forms = typeof(CollectionForms).GetMethods(BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
        .Where(method => method.IsGenericMethod && method.ReturnType.IsAssignableTo(typeof(ObjectCodec))).ToFrozenDictionary(method => $"{method.Name}`{method.GetGenericArguments().Length}");

    public static Func<GraphCodecSet, object>? Find(Type type)
    {
        if (type.Namespace?.StartsWith("System", StringComparison.Ordinal) == true && type.DeclaringType is null && Forms.TryGetValue(type.Name, out var form))
            return codecs => form.MakeGenericMethod(type.GetGenericArguments()).Invoke(null, BindingFlags.DoNotWrapExceptions, null, [codecs], null)!;
        if (ValueTypeTraits.Is(type, typeof(Memory<>)))
            return codecs => new Func<GraphCodecSet, MemberCodec>(WritableMemory<byte>).Method.GetGenericMethodDefinition().MakeGenericMethod(type.GetGenericArguments()).Invoke(null, [codecs])!;
        return null;
    }

    private static SurrogateMemberCodec<Memory<T>, ReadOnlyMemory<T>> WritableMemory<T>(GraphCodecSet codecs) =>
        new(codecs, memory => memory, System.Runtime.InteropServices.MemoryMarshal.AsMemory);

    // The methods below have the names of the types, and are found by their return type.
#pragma warning disable CA1859 // Return a more specific type.
    private static ObjectCodec Queue<T>(GraphCodecSet codecs) => Form<Queue<T>, T[]>(codecs, queue => queue.ToArray(), items => new(items));

    private static ObjectCodec Stack<T>(GraphCodecSet codecs) => Form<Stack<T>, T[]>(codecs, stack => stack.ToArray(), items => new(Enumerable.Reverse(items)));

    private static ObjectCodec LinkedList<T>(GraphCodecSet codecs) => Form<LinkedList<T>, T[]>(codecs, list => [.. list], items => new(items));

    private static ObjectCodec SortedSet<T>(GraphCodecSet codecs) => Form<SortedSet<T>, (IComparer<T>?, T[])>(codecs, set => (Custom(set.Comparer), [.. set]), parts => new(parts.Item2, parts.Item1));

    private static ObjectCodec SortedDictionary<TKey, TValue>(GraphCodecSet codecs)
        where TKey : notnull => Form<SortedDictionary<TKey, TValue>, (IComparer<TKey>?, KeyValuePair<TKey, TValue>[])>(
            codecs, dictionary => (Custom(dictionary.Comparer), [.. dictionary]), parts => Fill(new SortedDictionary<TKey, TValue>(parts.Item1), parts.Item2));

    private static ObjectCodec SortedList<TKey, TValue>(GraphCodecSet codecs)
        where TKey : notnull => Form<SortedList<TKey, TValue>, (IComparer<TKey>?, KeyValuePair<TKey, TValue>[])>(
            codecs, list => (Custom(list.Comparer), [.. list]), parts => Fill(new SortedList<TKey, TValue>(parts.Item1), parts.Item2));

    private static ObjectCodec PriorityQueue<TElement, TPriority>(GraphCodecSet codecs) => Form<PriorityQueue<TElement, TPriority>, (IComparer<TPriority>?, (TElement, TPriority)[])>(
        codecs, queue => (Custom(queue.Comparer), [.. queue.UnorderedItems]), parts => new(parts.Item2, parts.Item1));

    private static ObjectCodec ConcurrentDictionary<TKey, TValue>(GraphCodecSet codecs)
        where TKey : notnull => Form<ConcurrentDictionary<TKey, TValue>, (IEqualityComparer<TKey>?, KeyValuePair<TKey, TValue>[])>(
            codecs, dictionary => (Custom(dictionary.Comparer), dictionary.ToArray()), parts => new(parts.Item2, parts.Item1));

    private static ObjectCodec ConcurrentQueue<T>(GraphCodecSet codecs) => Form<ConcurrentQueue<T>, T[]>(codecs, queue => queue.ToArray(), items => new(items));

    private static ObjectCodec ConcurrentStack<T>(GraphCodecSet codecs) => Form<ConcurrentStack<T>, T[]>(codecs, stack => stack.ToArray(), items => new(Enumerable.Reverse(items)));

    private static ObjectCodec ConcurrentBag<T>(GraphCodecSet codecs) => Form<ConcurrentBag<T>, T[]>(codecs, bag => bag.ToArray(), items => new(Enumerable.Reverse(items)));

    private static ObjectCodec ImmutableList<T>(GraphCodecSet codecs) => Form<ImmutableList<T>, T[]>(codecs, list => [.. list], items => [.. items]);

    private static ObjectCodec ImmutableQueue<T>(GraphCodecSet codecs) => Form<ImmutableQueue<T>, T[]>(codecs, queue => [.. queue], items => [.. items]);

    private static ObjectCodec ImmutableStack<T>(GraphCodecSet codecs) =>
        Form<ImmutableStack<T>, T[]>(codecs, stack => [.. stack], items => System.Collections.Immutable.ImmutableStack.CreateRange(Enumerable.Reverse(items)));

    private static ObjectCodec ImmutableHashSet<T>(GraphCodecSet codecs) => Form<ImmutableHashSet<T>, (IEqualityComparer<T>?, T[])>(
        codecs, set => (Custom(set.KeyComparer), [.. set]), parts => System.Collections.Immutable.ImmutableHashSet.CreateRange(parts.Item1, parts.Item2));

    private static ObjectCodec ImmutableSortedSet<T>(GraphCodecSet codecs) => Form<ImmutableSortedSet<T>, (IComparer<T>?, T[])>(
        codecs, set => (Custom(set.KeyComparer), [.. set]), parts => System.Collections.Immutable.ImmutableSortedSet.CreateRange(parts.Item1, parts.Item2));

    private static ObjectCodec ImmutableDictionary<TKey, TValue>(GraphCodecSet codecs)
        where TKey : notnull => Form<ImmutableDictionary<TKey, TValue>, (IEqualityComparer<TKey>?, IEqualityComparer<TValue>?, KeyValuePair<TKey, TValue>[])>(
            codecs,
            dictionary => (Custom(dictionary.KeyComparer), Custom(dictionary.ValueComparer), [.. dictionary]),
            parts => System.Collections.Immutable.ImmutableDictionary.CreateRange(parts.Item1, parts.Item2, parts.Item3));

    private static ObjectCodec ImmutableSortedDictionary<TKey, TValue>(GraphCodecSet codecs)
        where TKey : notnull => Form<ImmutableSortedDictionary<TKey, TValue>, (IComparer<TKey>?, IEqualityComparer<TValue>?, KeyValuePair<TKey, TValue>[])>(
            codecs,
            dictionary => (Custom(dictionary.KeyComparer), Custom(dictionary.ValueComparer), [.. dictionary]),
            parts => System.Collections.Immutable.ImmutableSortedDictionary.CreateRange(parts.Item1, parts.Item2, parts.Item3));

    private static ObjectCodec FrozenDictionary<TKey, TValue>(GraphCodecSet codecs)
        where TKey : notnull => Form<FrozenDictionary<TKey, TValue>, (IEqualityComparer<TKey>?, KeyValuePair<TKey, TValue>[])>(
            codecs, dictionary => (Custom(dictionary.Comparer), [.. dictionary]), parts => parts.Item2.ToFrozenDictionary(parts.Item1));

    private static ObjectCodec FrozenSet<T>(GraphCodecSet codecs) => Form<FrozenSet<T>, (IEqualityComparer<T>?, T[])>(codecs, set => (Custom(set.Comparer), [.. set]), parts => parts.Item2.ToFrozenSet(parts.Item1));

    private static ObjectCodec Lookup<TKey, TElement>(GraphCodecSet codecs)
        where TKey : notnull => Form<Lookup<TKey, TElement>, (IEqualityComparer<TKey>?, (TKey, TElement[])[])>(
            codecs,
            lookup => (Custom(LookupComparer<TKey, TElement>.Of(lookup)), [.. lookup.Select(group => (group.Key, group.ToArray()))]),
            parts => (Lookup<TKey, TElement>)parts.Item2.SelectMany(group => group.Item2, (group, item) => (Key: group.Item1, Item: item)).ToLookup(pair => pair.Key, pair => pair.Item, parts.Item1));

    private static ObjectCodec Lazy<T>(GraphCodecSet codecs) => Form<Lazy<T>, T>(
        codecs, lazy => lazy.IsValueCreated ? lazy.Value : throw new UnserializableValueException(typeof(Lazy<T>), "a Lazy whose value has not been created holds code. Read its Value first, or pass the value", lazy), Created);

    private static ObjectCodec EqualityComparer<T>(GraphCodecSet codecs) => Form<EqualityComparer<T>, bool>(
        codecs, comparer => comparer.Equals(System.Collections.Generic.EqualityComparer<T>.Default) ? true : throw FromDelegate(comparer), _ => System.Collections.Generic.EqualityComparer<T>.Default);

    private static ObjectCodec Comparer<T>(GraphCodecSet codecs) => Form<Comparer<T>, bool>(
        codecs, comparer => comparer.Equals(System.Collections.Generic.Comparer<T>.Default) ? true : throw FromDelegate(comparer), _ => System.Collections.Generic.Comparer<T>.Default);
#pragma warning restore CA1859

    private static SurrogateObjectCodec<T, TSurrogate> Form<T, TSurrogate>(GraphCodecSet codecs, Func<T, TSurrogate> convert, Func<TSurrogate, T> restore)
        where T : class => new(codecs, convert, restore);

    private static IEqualityComparer<T>? Custom<T>(IEqualityComparer<T>? comparer) => comparer is null || comparer.Equals(System.Collections.Generic.EqualityComparer<T>.Default) ? null : comparer;

    private static IComparer<T>? Custom<T>(IComparer<T>? comparer) => comparer is null || comparer.Equals(System.Collections.Generic.Comparer<T>.Default) ? null : comparer;

    private static TDictionary Fill<TDictionary, TKey, TValue>(TDictionary dictionary, KeyValuePair<TKey, TValue>[] items)
        where TDictionary : IDictionary<TKey, TValue>
    {
        foreach (var (key, value) in items)
            dictionary.Add(key, value);
        return dictionary;
    }

    private static Lazy<T> Created<T>(T value)
    {
        var lazy = new Lazy<T>(value);
        _ = lazy.Value;
        return lazy;
    }

    private static UnserializableValueException FromDelegate(object comparer) =>
        new(comparer.GetType(), "a comparer that was created from a delegate is code of this process. Write a class for it", comparer);

    /// <summary>Gives access to the comparer of a lookup, which has no public property.</summary>
    private static class LookupComparer<TKey, TElement>
    {
        private static readonly FieldInfo? Field = typeof(Lookup<TKey, TElement>).GetField("_comparer", SerializedFields.Own);

        public static IEqualityComparer<TKey>? Of(Lookup<TKey, TElement> lookup) => Field is null
            ? throw new UnserializableValueException(lookup.GetType(), "its comparer is unknown. Pass its groups", lookup)
            : (IEqualityComparer<TKey>?)Field.GetValue(lookup);
    }
}
