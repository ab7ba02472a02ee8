namespace Serve.Rl;

/// <summary>Specification of a registered environment.</summary>
/// <param name="Id">The id, for example <c>Taxi-v3</c>.</param>
/// <param name="MaxEpisodeSteps">The number of steps after which episodes are truncated; null for no limit.</param>
/// <param name="RewardThreshold">The mean return at which the task counts as solved; null if none is defined.</param>
public sealed record EnvSpec(string Id, int? MaxEpisodeSteps, double? RewardThreshold);

/// <summary>Arguments of an environment by name, for example <c>is_slippery</c>. The factory of an environment reads them; the rest are reported as unknown.</summary>
public sealed class EnvArguments
{
    private readonly string _id;
    private readonly IReadOnlyDictionary<string, object> _values;
    private readonly List<string> _known = [];

    internal EnvArguments(string id, IReadOnlyDictionary<string, object>? values) => (_id, _values) = (id, values ?? new Dictionary<string, object>());

    /// <summary>Gets an argument.</summary>
    /// <exception cref="ArgumentException">The argument has another type. Numbers are converted if the value stays the same.</exception>
    public T Get<T>(string name, T defaultValue)
    {
        _known.Add(name);
        if (!_values.TryGetValue(name, out var value))
            return defaultValue;
        if (value is T typed)
            return typed;
        if (typeof(T) == typeof(double) && value is int or long or float)
            return (T)(object)Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture);
        throw new ArgumentException($"Argument '{name}' of {_id} must be of type {typeof(T).Name}, but was {Spaces.Space.Describe(value)} of type {value?.GetType().Name ?? "null"}.");
    }

    /// <summary>Throws if an argument was not read.</summary>
    internal void RequireAllRead()
    {
        if (_values.Keys.FirstOrDefault(key => !_known.Contains(key)) is not { } unknown)
            return;
        var hint = NearestNameFinder.Find(unknown, _known) is { } near ? $" Did you mean '{near}'?" : "";
        throw new ArgumentException($"Unknown argument '{unknown}' of {_id}.{hint} Arguments: {(_known.Count == 0 ? "none" : string.Join(", ", _known))}.");
    }
}

/// <summary>The requested environment is not registered.</summary>
public sealed class EnvNotFoundException(string message) : ArgumentException(message);
