namespace Serve.Runtime.Objects;

/// <summary>Weak reference to the object that this process decoded from a segment, so that concurrent readers share one instance. Thread-safe.</summary>
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
