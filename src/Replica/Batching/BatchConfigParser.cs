using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Replica.Activation;

namespace Serve.Replica.Batching;

/// <summary>
/// Reads the key <c>batching</c> of a <c>user_config</c>: settings for all batched methods of a class, and for single methods under the name of the method. Collects all errors.
/// </summary>
public sealed class BatchConfigParser
{
    public const string Key = "batching";

    private const string MaxBatchSize = "max_batch_size";
    private const string WaitTimeout = "batch_wait_timeout_s";
    private const string MaxConcurrentBatches = "max_concurrent_batches";
    private const string Adaptive = "adaptive";
    private const string Enabled = "enabled";
    private const string Padding = "padding";
    private const int LongestWait = 86_400;

    private static readonly string[] Keys = [MaxBatchSize, WaitTimeout, MaxConcurrentBatches, Adaptive];

    private readonly List<string> _errors = [];

    private BatchConfigParser()
    {
    }

    /// <summary>Reads the settings of a class.</summary>
    /// <param name="batching">Value of the key; null for none.</param>
    /// <param name="methods">Batched methods of the class, with the settings of their attributes.</param>
    /// <returns>The settings by method.</returns>
    /// <exception cref="BadInputException">Keys or values are invalid; lists all of them.</exception>
    public static IReadOnlyDictionary<string, BatchQueueSettings> Read(JsonNode? batching, IReadOnlyDictionary<string, BatchQueueSettings> methods)
    {
        var reader = new BatchConfigParser();
        return reader.Checked(reader.ReadAll(batching, methods));
    }

    /// <summary>Reads the settings of a model that is served without code.</summary>
    /// <param name="batching">Value of the key; null for none.</param>
    /// <param name="defaults">Default settings.</param>
    /// <exception cref="BadInputException">Keys or values are invalid; lists all of them.</exception>
    public static ModelBatchSettings ReadModel(JsonNode? batching, ModelBatchSettings defaults)
    {
        var reader = new BatchConfigParser();
        return reader.Checked(reader.ReadOne(batching, defaults));
    }

    private T Checked<T>(T settings) => _errors.Count == 0 ? settings : throw new BadInputException(string.Join(Environment.NewLine, _errors));

    private ModelBatchSettings ReadOne(JsonNode? batching, ModelBatchSettings settings)
    {
        string[] own = [Enabled, Padding];
        if (batching is not null and not JsonObject)
            _errors.Add($"user_config: {Key} must be an object with {string.Join(", ", Keys.Concat(own))}, not {batching.ToJsonString()}.");
        foreach (var (written, value) in batching as JsonObject ?? [])
        {
            settings = Array.Find(own, key => UserJsonReader.Same(key, written)) switch
            {
                Enabled => settings with { Enabled = Switch(Key, Enabled, value) },
                Padding => settings with { Padding = Switch(Key, Padding, value) },
                _ => settings with { Queue = Set(settings.Queue, Key, written, value, own, report: true) },
            };
        }

        return settings;
    }

    private Dictionary<string, BatchQueueSettings> ReadAll(JsonNode? batching, IReadOnlyDictionary<string, BatchQueueSettings> methods)
    {
        var settings = methods.ToDictionary(StringComparer.Ordinal);
        if (batching is null)
            return settings;
        if (batching is not JsonObject keys)
        {
            _errors.Add($"user_config: {Key} must be an object with {string.Join(", ", Keys)}, or with such an object per method, not {batching.ToJsonString()}.");
            return settings;
        }

        // Settings for all methods first, regardless of their position: settings for one method override them.
        var all = keys.Where(pair => !methods.ContainsKey(pair.Key)).ToList();
        foreach (var (key, value) in all)
        {
            foreach (var name in methods.Keys)
                settings[name] = Set(settings[name], Key, key, value, methods.Keys, report: name == methods.Keys.First());
        }

        foreach (var (name, value) in keys.Except(all))
        {
            if (value is not JsonObject own)
            {
                _errors.Add($"user_config: {Key}.{name} must be an object with {string.Join(", ", Keys)}, not {value?.ToJsonString() ?? "null"}.");
                continue;
            }

            foreach (var (key, of) in own)
                settings[name] = Set(settings[name], $"{Key}.{name}", key, of, [], report: true);
        }

        return settings;
    }

    private BatchQueueSettings Set(BatchQueueSettings settings, string path, string written, JsonNode? value, IEnumerable<string> methods, bool report)
    {
        var before = _errors.Count;
        var key = Array.Find(Keys, key => UserJsonReader.Same(key, written));
        var changed = key switch
        {
            MaxBatchSize => settings with { MaxBatchSize = Whole(path, key, value) },
            MaxConcurrentBatches => settings with { MaxConcurrentBatches = Whole(path, key, value) },
            WaitTimeout => settings with { WaitTimeout = Wait(path, value) },
            Adaptive => settings with { Adaptive = Switch(path, Adaptive, value) },
            _ => Unknown(settings, path, written, methods),
        };
        if (!report)
            _errors.RemoveRange(before, _errors.Count - before);
        return changed;
    }

    private BatchQueueSettings Unknown(BatchQueueSettings settings, string path, string written, IEnumerable<string> methods)
    {
        _errors.Add(UserJsonReader.NoKey($"user_config: {path}", written, [.. Keys, .. methods]));
        return settings;
    }

    private int Whole(string path, string key, JsonNode? value)
    {
        if (value?.GetValueKind() == JsonValueKind.Number
            && int.TryParse(value.ToJsonString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1)
        {
            return number;
        }

        _errors.Add($"user_config: {path}.{key} must be an integer of at least 1, not {value?.ToJsonString() ?? "null"}.");
        return 1;
    }

    private TimeSpan Wait(string path, JsonNode? value)
    {
        if (value?.GetValueKind() == JsonValueKind.Number
            && double.TryParse(value.ToJsonString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0 and <= LongestWait)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        if (value?.GetValueKind() == JsonValueKind.String && DurationTextFormat.TryParse(value.GetValue<string>(), out var duration))
            return duration;
        _errors.Add($"user_config: {path}.{WaitTimeout} must be a number of seconds from 0 to {LongestWait}, or {DurationTextFormat.Expected}, not {value?.ToJsonString() ?? "null"}.");
        return default;
    }

    private bool Switch(string path, string key, JsonNode? value)
    {
        if (value?.GetValueKind() is JsonValueKind.True or JsonValueKind.False)
            return value.GetValue<bool>();
        _errors.Add($"user_config: {path}.{key} must be true or false, not {value?.ToJsonString() ?? "null"}.");
        return false;
    }
}
