using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Serve.Dashboard.Live;

/// <summary>The live tables with one version for all of them, and the callers that wait for the next one. Thread-safe.</summary>
internal sealed class LiveFeed(TimeProvider time)
{
    /// <summary>How long a snapshot counts as a look at its tables.</summary>
    private static readonly TimeSpan SnapshotAttention = TimeSpan.FromSeconds(15);

    // Versions of another start of the node are recognized by another prefix.
    private readonly string _epoch = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
    private readonly Lock _sync = new();
    private readonly Dictionary<string, LiveTable> _tables = LiveTopics.Columns.ToDictionary(pair => pair.Key, pair => new LiveTable(pair.Value));
    private readonly Dictionary<string, int> _watchers = LiveTopics.Columns.ToDictionary(pair => pair.Key, _ => 0);
    private readonly Dictionary<string, DateTimeOffset> _lookedAt = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _version;

    /// <summary>The current version as text.</summary>
    public string Version
    {
        get
        {
            lock (_sync)
                return Text(_version);
        }
    }

    /// <summary>Whether a caller follows one of the tables of a group, or has read one of them a moment ago.</summary>
    /// <param name="isOfProcesses">The group.</param>
    public bool IsWatched(bool isOfProcesses)
    {
        lock (_sync)
        {
            return _watchers.Any(pair => pair.Value > 0 && LiveTopics.IsOfProcesses(pair.Key) == isOfProcesses)
                || _lookedAt.Any(pair => LiveTopics.IsOfProcesses(pair.Key) == isOfProcesses && time.GetUtcNow() - pair.Value < SnapshotAttention);
        }
    }

    /// <summary>Counts a caller that follows tables.</summary>
    /// <param name="topics">The tables.</param>
    /// <param name="change">1, or -1 when it stops.</param>
    public void Watch(IReadOnlyList<string> topics, int change)
    {
        lock (_sync)
        {
            foreach (var topic in topics)
                _watchers[topic] += change;
        }
    }

    /// <summary>Notes that a caller reads tables now.</summary>
    /// <param name="topics">The tables.</param>
    public void Look(IReadOnlyList<string> topics)
    {
        lock (_sync)
        {
            foreach (var topic in topics)
                _lookedAt[topic] = time.GetUtcNow();
        }
    }

    /// <summary>Replaces the content of tables.</summary>
    /// <param name="content">The rows by table.</param>
    public void Publish(IReadOnlyDictionary<string, List<LiveRowContent>> content)
    {
        TaskCompletionSource waiters;
        lock (_sync)
        {
            var next = _version + 1;
            foreach (var (topic, rows) in content)
                _tables[topic].Update(next, rows);
            if (!content.Keys.Any(topic => _tables[topic].ChangedAt == next))
                return;
            _version = next;
            (waiters, _changed) = (_changed, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        waiters.TrySetResult();
    }

    /// <summary>Returns a task that completes with the next version.</summary>
    /// <param name="seen">The version that the caller has.</param>
    public Task WaitAsync(long seen)
    {
        lock (_sync)
            return _version > seen ? Task.CompletedTask : _changed.Task;
    }

    /// <summary>Returns the names of a table's rows.</summary>
    /// <param name="topic">The table.</param>
    public IReadOnlyList<string> Keys(string topic)
    {
        lock (_sync)
            return [.. _tables[topic].Keys];
    }

    /// <summary>Returns the content of tables as a JSON object.</summary>
    /// <param name="topics">The tables.</param>
    public byte[] ComposeSnapshot(IReadOnlyList<string> topics)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        lock (_sync)
        {
            json.WriteStartObject();
            json.WriteString("version", Text(_version));
            json.WriteNumber("time", Seconds());
            json.WriteStartObject("topics");
            foreach (var topic in topics)
            {
                json.WritePropertyName(topic);
                _tables[topic].WriteSnapshot(json);
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.Flush();
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Returns the version of a text; null if a stream cannot start there, because the version is of another start of the node or too old.</summary>
    /// <param name="text">The text; null or empty for the current version.</param>
    /// <param name="topics">The tables of the stream.</param>
    public long? Resume(string? text, IReadOnlyList<string> topics)
    {
        lock (_sync)
        {
            if (string.IsNullOrEmpty(text))
                return _version;
            return text.Split('-') is [var epoch, var number] && epoch == _epoch && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
                && version <= _version && topics.All(topic => version >= _tables[topic].OldestVersion)
                ? version
                : null;
        }
    }

    /// <summary>Returns the differences to an earlier version: for each table that has changed a JSON object.</summary>
    /// <param name="topics">The tables.</param>
    /// <param name="since">The earlier version.</param>
    public LiveChange ComposeChange(IReadOnlyList<string> topics, long since)
    {
        lock (_sync)
        {
            if (topics.Any(topic => since < _tables[topic].OldestVersion))
                return new(_version, Text(_version), Seconds(), null);
            List<(string Topic, byte[] Json)> changes = [];
            foreach (var topic in topics)
            {
                if (_tables[topic].Compose(since, _version) is { } composed)
                    changes.Add((topic, composed));
            }

            return new(_version, Text(_version), Seconds(), changes);
        }
    }

    private string Text(long version) => string.Create(CultureInfo.InvariantCulture, $"{_epoch}-{version}");

    private double Seconds() => time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;
}

/// <summary>Differences between two versions of the live tables.</summary>
/// <param name="Version">The later version.</param>
/// <param name="VersionText">The later version as text.</param>
/// <param name="Seconds">Now, in seconds since 1970.</param>
/// <param name="Changes">The differences by table; null if the earlier version is too old.</param>
internal sealed record LiveChange(long Version, string VersionText, double Seconds, IReadOnlyList<(string Topic, byte[] Json)>? Changes);
