using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Serve.Tuning.Spaces;

/// <summary>Search space: parameters by name with distributions of <see cref="Tune"/>, constants, or nested spaces. The order of the parameters is kept.</summary>
[SuppressMessage("Naming", "CA1710:Identifiers should have correct suffix", Justification = "Ray's term.")]
public sealed class ParamSpace : IEnumerable<KeyValuePair<string, object>>
{
    private readonly List<KeyValuePair<string, object>> _entries = [];

    /// <summary>Gets or sets a parameter.</summary>
    /// <exception cref="ArgumentException">The name is empty or contains a slash, which separates levels.</exception>
    public object this[string name]
    {
        get => _entries.Find(entry => entry.Key == name).Value ?? throw new KeyNotFoundException($"Parameter '{name}' does not exist. Parameters: {string.Join(", ", _entries.Select(entry => entry.Key))}.");
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            if (string.IsNullOrEmpty(name) || name.Contains('/'))
                throw new ArgumentException($"Name of a parameter must not be empty or contain '/', but was '{name}'.", nameof(name));
            _entries.RemoveAll(entry => entry.Key == name);
            _entries.Add(new(name, value));
        }
    }

    /// <inheritdoc />
    public IEnumerator<KeyValuePair<string, object>> GetEnumerator() => _entries.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
