namespace Serve.Rl;

/// <summary>Immutable additional information of a reset or step, by key: for example <c>prob</c> and <c>action_mask</c> of Taxi.</summary>
public sealed class EnvInfo
{
    private readonly (string Key, object Value)[] _entries;

    private EnvInfo((string Key, object Value)[] entries) => _entries = entries;

    /// <summary>Gets the information without entries.</summary>
    public static EnvInfo Empty { get; } = new([]);

    /// <summary>Gets the keys.</summary>
    public IEnumerable<string> Keys => _entries.Select(entry => entry.Key);

    /// <summary>Gets a value; null if the key is absent.</summary>
    public object? this[string key]
    {
        get
        {
            foreach (var (name, value) in _entries)
            {
                if (name == key)
                    return value;
            }

            return null;
        }
    }

    /// <summary>Creates information from entries.</summary>
    public static EnvInfo Of(params ReadOnlySpan<(string Key, object Value)> entries) => new([.. entries]);

    /// <summary>Returns a copy with an entry added or replaced.</summary>
    public EnvInfo With(string key, object value) => new([.. _entries.Where(entry => entry.Key != key), (key, value)]);

    /// <summary>Gets a value of a type.</summary>
    /// <exception cref="KeyNotFoundException">The key is absent or its value has another type.</exception>
    public T Get<T>(string key) =>
        this[key] is T value ? value : throw new KeyNotFoundException($"The information has no '{key}' of type {typeof(T).Name}. It has: {string.Join(", ", Keys)}.");
}
