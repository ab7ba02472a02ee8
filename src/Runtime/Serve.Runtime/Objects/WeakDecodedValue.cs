namespace Serve.Runtime.Objects;

/// <summary>The object that this process has made of a segment, as long as anyone uses it: so that many tasks share one. Thread-safe.</summary>
internal sealed class WeakDecodedValue
{
    private readonly Lock _sync = new();
    private readonly WeakReference<object?> _value = new(null);

    public T GetOrCreate<T>(Type type, Func<T> make)
        where T : class
    {
        lock (_sync)
        {
            if (_value.TryGetTarget(out var known) && known.GetType() == type)
                return (T)known;
            var made = make();
            _value.SetTarget(made);
            return made;
        }
    }

    public void Set(object made)
    {
        lock (_sync)
            _value.SetTarget(made);
    }
}
