using System.Buffers;
using System.Text.Json;

namespace Serve.Dashboard.Live;

/// <summary>
/// The current rows of one topic. Each row remembers the version of its last change, so the difference to any earlier version is known without a history of events. The difference to the
/// previous version, which nearly all streams need, is composed once. Not thread-safe: <see cref="LiveFeed"/> has the lock.
/// </summary>
/// <param name="columns">Names of the numbers.</param>
internal sealed class LiveTable(IReadOnlyList<string> columns)
{
    private const int MaxRemoved = 10_000;
    private readonly Dictionary<string, LiveRow> _rows = new(StringComparer.Ordinal);
    private readonly Queue<(int Number, long Version)> _removed = new();
    private int _lastNumber;
    private (long Since, long Version, byte[] Composed)? _newest;

    /// <summary>Names of the numbers.</summary>
    public IReadOnlyList<string> Columns => columns;

    /// <summary>Names of the rows.</summary>
    public IEnumerable<string> Keys => _rows.Keys;

    /// <summary>The oldest version to which the difference is known.</summary>
    public long OldestVersion { get; private set; }

    /// <summary>Version of the newest change.</summary>
    public long ChangedAt { get; private set; }

    /// <summary>Replaces the content of the table.</summary>
    /// <param name="version">The version that this is.</param>
    /// <param name="content">All rows.</param>
    public void Update(long version, IReadOnlyList<LiveRowContent> content)
    {
        HashSet<string> seen = new(content.Count, StringComparer.Ordinal);
        foreach (var (key, info, values) in content)
        {
            if (!seen.Add(key))
                continue;
            if (!_rows.TryGetValue(key, out var row))
            {
                _rows[key] = new() { Number = ++_lastNumber, Key = key, AddedAt = version, Info = info, InfoChangedAt = version, Values = values, ValuesChangedAt = version };
                ChangedAt = version;
                continue;
            }

            if (!row.Info.AsSpan().SequenceEqual(info))
                (row.Info, row.InfoChangedAt, ChangedAt) = (info, version, version);
            // NaN is equal to itself here.
            if (!row.Values.AsSpan().SequenceEqual(values))
                (row.Values, row.ValuesChangedAt, ChangedAt) = (values, version, version);
        }

        foreach (var row in seen.Count == _rows.Count ? [] : _rows.Values.Where(row => !seen.Contains(row.Key)).ToList())
        {
            _rows.Remove(row.Key);
            _removed.Enqueue((row.Number, version));
            ChangedAt = version;
        }

        while (_removed.Count > MaxRemoved)
            OldestVersion = _removed.Dequeue().Version;
    }

    /// <summary>Writes the columns and all rows as a JSON object.</summary>
    /// <param name="json">Receives the object.</param>
    public void WriteSnapshot(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteStartArray("columns");
        foreach (var column in columns)
            json.WriteStringValue(column);
        json.WriteEndArray();
        json.WriteStartArray("rows");
        foreach (var row in _rows.Values)
            WriteRow(json, row);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Returns the difference to an earlier version as a JSON object; null if there is none.</summary>
    /// <param name="since">The earlier version, at least <see cref="OldestVersion"/>.</param>
    /// <param name="version">The current version.</param>
    public byte[]? Compose(long since, long version)
    {
        if (ChangedAt <= since)
            return null;
        if (_newest is { } newest && newest.Since == since && newest.Version == version)
            return newest.Composed;
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            WriteAll(json, "rows", _rows.Values.Where(row => row.AddedAt <= since && row.ValuesChangedAt > since), static (json, row) => WriteValues(json, row, isNumbered: true));
            WriteAll(json, "info", _rows.Values.Where(row => row.AddedAt <= since && row.InfoChangedAt > since), static (json, row) =>
            {
                json.WriteStartArray();
                json.WriteNumberValue(row.Number);
                json.WriteRawValue(row.Info, skipInputValidation: true);
                json.WriteEndArray();
            });
            WriteAll(json, "added", _rows.Values.Where(row => row.AddedAt > since), WriteRow);
            WriteAll(json, "removed", _removed.Where(removed => removed.Version > since), static (json, removed) => json.WriteNumberValue(removed.Number));
            json.WriteEndObject();
        }

        var composed = buffer.WrittenSpan.ToArray();
        if (since == version - 1)
            _newest = (since, version, composed);
        return composed;
    }

    private static void WriteAll<T>(Utf8JsonWriter json, string name, IEnumerable<T> items, Action<Utf8JsonWriter, T> write)
    {
        var isEmpty = true;
        foreach (var item in items)
        {
            if (isEmpty)
                json.WriteStartArray(name);
            isEmpty = false;
            write(json, item);
        }

        if (!isEmpty)
            json.WriteEndArray();
    }

    private static void WriteRow(Utf8JsonWriter json, LiveRow row)
    {
        json.WriteStartObject();
        json.WriteNumber("n", row.Number);
        json.WriteString("key", row.Key);
        json.WritePropertyName("info");
        json.WriteRawValue(row.Info, skipInputValidation: true);
        json.WritePropertyName("values");
        WriteValues(json, row, isNumbered: false);
        json.WriteEndObject();
    }

    private static void WriteValues(Utf8JsonWriter json, LiveRow row, bool isNumbered)
    {
        json.WriteStartArray();
        if (isNumbered)
            json.WriteNumberValue(row.Number);
        foreach (var value in row.Values)
            WriteNumber(json, value);
        json.WriteEndArray();
    }

    /// <summary>Writes a number, or null if it is unknown.</summary>
    /// <param name="json">Receives the number.</param>
    /// <param name="value">The number.</param>
    public static void WriteNumber(Utf8JsonWriter json, float value)
    {
        if (float.IsFinite(value))
            json.WriteNumberValue(value);
        else
            json.WriteNullValue();
    }
}
