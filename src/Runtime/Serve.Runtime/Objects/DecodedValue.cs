namespace Serve.Runtime.Objects;

/// <summary>The object that this process has made of a segment, as long as anyone uses it: so that many tasks share one. Thread-safe.</summary>
internal sealed class DecodedValue
{
    private readonly Lock sync = new();
    private readonly WeakReference<object?> value = new(null);

    public T GetOrMake<T>(Type type, Func<T> make)
        where T : class
    {
        lock (sync)
        {
            if (value.TryGetTarget(out var known) && known.GetType() == type)
                return (T)known;
            var made = make();
            value.SetTarget(made);
            return made;
        }
    }

    public void Set(object made)
    {
        lock (sync)
            value.SetTarget(made);
    }
}
