using System.Reflection;

namespace Serve.Runtime.Serialization.Graphs;

/// <summary>
/// Dictionaries and hash sets, also as base classes: comparer and entries. Hash codes differ between processes, so the entries are added again: immediately if the
/// keys contain no references, otherwise when all objects have been read.
/// </summary>
internal abstract class HashContentCodec<TKey>(GraphCodecSet codecs)
    where TKey : notnull
{
    private static readonly bool HasSimpleKeys = typeof(TKey) == typeof(string) || ValueTypeTraits.IsUnmanaged(typeof(TKey));

    private MemberCodec<TKey>? _key;
    private MemberCodec<object?>? _comparer;

    protected GraphCodecSet Codecs => codecs;

    protected MemberCodec<TKey> Key => _key ??= codecs.Member<TKey>();

    private MemberCodec<object?> Comparer => _comparer ??= codecs.Member<object?>();

    public abstract void Write(GraphWriter writer, object value);

    /// <summary>Reads the content.</summary>
    /// <param name="reader">The reader.</param>
    /// <param name="id">Id of the object.</param>
    /// <param name="derived">Uninitialized object of a derived class; null to create a new one.</param>
    public abstract object Read(GraphReader reader, int id, object? derived);

    // The reader creates the collection with its comparer, which therefore cannot refer to it.
    protected void WriteComparer(GraphWriter writer, object owner, IEqualityComparer<TKey> comparer)
    {
        if (ReferenceEquals(comparer, EqualityComparer<TKey>.Default))
        {
            Comparer.Write(writer, null);
            return;
        }

        writer.Open(owner);
        Comparer.Write(writer, comparer);
        writer.Close(owner);
    }

    protected IEqualityComparer<TKey>? ReadComparer(GraphReader reader) =>
        Comparer.Read(reader) is { } comparer ? comparer as IEqualityComparer<TKey> ?? throw GraphReader.Damaged() : null;

    protected static bool CanFillImmediately(IEqualityComparer<TKey>? comparer) => HasSimpleKeys && comparer is null or StringComparer;

    // Runs the constructor of the base class on an object of a derived class, whose own constructor is not run.
    protected static T Initialize<T>(object derived, int count, IEqualityComparer<TKey>? comparer)
        where T : class
    {
        typeof(T).GetConstructor([typeof(int), typeof(IEqualityComparer<TKey>)])!.Invoke(derived, BindingFlags.DoNotWrapExceptions, null, [count, comparer], null);
        return (T)derived;
    }
}

/// <inheritdoc/>
internal sealed class DictionaryContentCodec<TKey, TValue>(GraphCodecSet codecs) : HashContentCodec<TKey>(codecs)
    where TKey : notnull
{
    private MemberCodec<TValue>? _value;

    private MemberCodec<TValue> Value => _value ??= Codecs.Member<TValue>();

    public override void Write(GraphWriter writer, object value)
    {
        var dictionary = (Dictionary<TKey, TValue>)value;
        WriteComparer(writer, value, dictionary.Comparer);
        writer.WriteInt(dictionary.Count);
        var (keys, values) = (Key, Value);
        foreach (var (key, item) in dictionary)
        {
            keys.Write(writer, key);
            values.Write(writer, item);
        }
    }

    public override object Read(GraphReader reader, int id, object? derived)
    {
        var comparer = ReadComparer(reader);
        var count = reader.ReadCount(Key.MinimumSize);
        var dictionary = derived is null ? new(count, comparer) : Initialize<Dictionary<TKey, TValue>>(derived, count, comparer);
        reader.SetObject(id, dictionary);
        var (keys, values) = (Key, Value);
        if (CanFillImmediately(comparer))
        {
            for (var rest = count; rest > 0; rest--)
            {
                var key = keys.Read(reader);
                dictionary.Add(key, values.Read(reader));
            }

            return dictionary;
        }

        var entries = new KeyValuePair<TKey, TValue>[count];
        for (var index = 0; index < count; index++)
        {
            var key = keys.Read(reader);
            entries[index] = new(key, values.Read(reader));
        }

        reader.OnCompleted(() =>
        {
            foreach (var (key, item) in entries)
                dictionary.Add(key, item);
        });
        return dictionary;
    }
}

/// <inheritdoc/>
internal sealed class HashSetContentCodec<T>(GraphCodecSet codecs) : HashContentCodec<T>(codecs)
    where T : notnull
{
    public override void Write(GraphWriter writer, object value)
    {
        var set = (HashSet<T>)value;
        WriteComparer(writer, value, set.Comparer);
        writer.WriteInt(set.Count);
        var items = Key;
        foreach (var item in set)
            items.Write(writer, item);
    }

    public override object Read(GraphReader reader, int id, object? derived)
    {
        var comparer = ReadComparer(reader);
        var items = new T[reader.ReadCount(Key.MinimumSize)];
        var set = derived is null ? new(items.Length, comparer) : Initialize<HashSet<T>>(derived, items.Length, comparer);
        reader.SetObject(id, set);
        for (var index = 0; index < items.Length; index++)
            items[index] = Key.Read(reader);
        if (CanFillImmediately(comparer))
            set.UnionWith(items);
        else
            reader.OnCompleted(() => set.UnionWith(items));
        return set;
    }
}

/// <summary>Objects that are exactly a dictionary or a hash set.</summary>
internal sealed class HashObjectCodec<TKey>(Type type, HashContentCodec<TKey> content) : ObjectCodec(type)
    where TKey : notnull
{
    public override void Write(GraphWriter writer, object value) => content.Write(writer, value);

    public override object Read(GraphReader reader, int id) => content.Read(reader, id, null);
}
