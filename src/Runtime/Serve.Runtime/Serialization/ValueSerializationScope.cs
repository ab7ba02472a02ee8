using Serve.Runtime.Actors;


namespace Serve.Runtime.Serialization;

/// <summary>Value that is being encoded or decoded on this thread, with its contained references and large arrays.</summary>
internal sealed class ValueSerializationScope
{
    [ThreadStatic]
    private static ValueSerializationScope? _current;

    private List<object>? _references;
    private List<EncodedObject>? _arrays;

    private ValueSerializationScope(IValueCodec codec, EncodedObject? source)
    {
        Codec = codec;
        Source = source;
    }

    public static ValueSerializationScope Current => _current ?? throw new InvalidOperationException("Object references and arrays can only be serialized by the runtime's value codec.");

    public IValueCodec Codec { get; }

    /// <summary>Value that is being decoded; null while encoding.</summary>
    public EncodedObject? Source { get; }

    public IReadOnlyList<object> References => _references ?? (IReadOnlyList<object>)[];

    public IReadOnlyList<EncodedObject> Arrays => _arrays ?? (IReadOnlyList<EncodedObject>)[];

    public static T Run<T, TState>(IValueCodec codec, EncodedObject? source, TState state, Func<ValueSerializationScope, TState, T> body)
    {
        var before = _current;
        var scope = new ValueSerializationScope(codec, source);
        _current = scope;
        try
        {
            return body(scope, state);
        }
        finally
        {
            _current = before;
        }
    }

    public void Add(ObjectRef reference) => (_references ??= []).Add(reference);

    public void Add(IActorHandleLink handle) => (_references ??= []).Add(handle);

    /// <summary>Adds an array that is stored next to its value.</summary>
    /// <returns>Its position, from 1.</returns>
    public int Add(EncodedObject array)
    {
        _arrays ??= [];
        _arrays.Add(array);
        return _arrays.Count;
    }
}
