using Serve.Runtime.CoreActors;

namespace Serve.Runtime.Serialization;

/// <summary>One value that is being written or read on this thread: where its refs and large arrays go to, or come from.</summary>
internal sealed class ValueScope
{
    [ThreadStatic]
    private static ValueScope? current;

    private List<object>? references;
    private List<EncodedObject>? arrays;

    private ValueScope(ValueCodec codec, EncodedObject? source)
    {
        Codec = codec;
        Source = source;
    }

    public static ValueScope Current => current ?? throw new InvalidOperationException("Refs and arrays are only read and written by the value codec.");

    public ValueCodec Codec { get; }

    /// <summary>What is being read; null while writing.</summary>
    public EncodedObject? Source { get; }

    public IReadOnlyList<object> References => references ?? (IReadOnlyList<object>)[];

    public IReadOnlyList<EncodedObject> Arrays => arrays ?? (IReadOnlyList<EncodedObject>)[];

    public static T Run<T, TState>(ValueCodec codec, EncodedObject? source, TState state, Func<ValueScope, TState, T> body)
    {
        var before = current;
        var scope = new ValueScope(codec, source);
        current = scope;
        try
        {
            return body(scope, state);
        }
        finally
        {
            current = before;
        }
    }

    public void Add(ObjectRef reference) => (references ??= []).Add(reference);

    public void Add(IActorLink handle) => (references ??= []).Add(handle);

    /// <summary>The place of an array that travels beside its value.</summary>
    public int Add(EncodedObject array)
    {
        arrays ??= [];
        arrays.Add(array);
        return arrays.Count;
    }
}
