using Serve.Runtime.CoreActors;

namespace Serve.Runtime.Serialization;

/// <summary>One value that is being written or read on this thread: where its refs and large arrays go to, or come from.</summary>
internal sealed class ValueSerializationScope
{
    [ThreadStatic]
    private static ValueSerializationScope? _current;

    private List<object>? _references;
    private List<EncodedObject>? _arrays;

    private ValueSerializationScope(ObjectValueCodec codec, EncodedObject? source)
    {
        Codec = codec;
        Source = source;
    }

    public static ValueSerializationScope Current => _current ?? throw new InvalidOperationException("Refs and arrays are only read and written by the value codec.");

    public ObjectValueCodec Codec { get; }

    /// <summary>What is being read; null while writing.</summary>
    public EncodedObject? Source { get; }

    public IReadOnlyList<object> References => _references ?? (IReadOnlyList<object>)[];

    public IReadOnlyList<EncodedObject> Arrays => _arrays ?? (IReadOnlyList<EncodedObject>)[];

    public static T Run<T, TState>(ObjectValueCodec codec, EncodedObject? source, TState state, Func<ValueSerializationScope, TState, T> body)
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

    /// <summary>The place of an array that travels beside its value.</summary>
    public int Add(EncodedObject array)
    {
        _arrays ??= [];
        _arrays.Add(array);
        return _arrays.Count;
    }
}
