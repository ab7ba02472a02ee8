namespace Serve.Dashboard.Sampling;

/// <summary>
/// History of all tables: five minutes at one second, and for tables that ask for it two hours at ten seconds. At most <see cref="MaxBytes"/>; the rows that were sampled least recently are
/// removed first, of those the ones without a long history. Thread-safe.
/// </summary>
internal sealed class SampleHistory
{
    /// <summary>Number of samples at one second.</summary>
    public const int ShortLength = 300;

    /// <summary>Number of samples at ten seconds.</summary>
    public const int LongLength = 720;

    /// <summary>Seconds between the samples of the long history.</summary>
    public const int LongStep = 10;

    private readonly Lock _sync = new();
    private readonly Dictionary<(string Topic, string Key), Entry> _entries = [];
    private readonly long _maxBytes;

    /// <summary>Creates an empty history.</summary>
    /// <param name="maxBytes">Limit of the samples' size.</param>
    public SampleHistory(long maxBytes = MaxBytes) => _maxBytes = maxBytes;

    /// <summary>Limit of the samples' size, in bytes.</summary>
    public const long MaxBytes = 32L << 20;

    /// <summary>Size of all samples in bytes.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds a sample of a row.</summary>
    /// <param name="topic">The table.</param>
    /// <param name="key">The row.</param>
    /// <param name="sample">Its values.</param>
    /// <param name="second">Time in seconds.</param>
    /// <param name="isWatched">Whether the table is sampled each second; a history at one second is kept only then.</param>
    /// <param name="hasLong">Whether the row has a long history.</param>
    public void Add(string topic, string key, ReadOnlySpan<float> sample, long second, bool isWatched, bool hasLong)
    {
        lock (_sync)
        {
            var id = (topic, key);
            if (!_entries.TryGetValue(id, out var entry))
            {
                if (!isWatched && !hasLong)
                    return;
                _entries[id] = entry = new(hasLong);
            }

            entry.LastSecond = second;
            if (isWatched)
                Set(ref entry.Short, ShortLength, second, sample);
            if (hasLong)
                Set(ref entry.Long, LongLength, second / LongStep, sample);
            if (Bytes > _maxBytes)
                Evict();
        }
    }

    /// <summary>Returns the values of a column, oldest first; null if the row has no history.</summary>
    /// <param name="topic">The table.</param>
    /// <param name="key">The row.</param>
    /// <param name="column">Index of the column.</param>
    /// <param name="isLong">Whether to return the long history.</param>
    /// <param name="second">Time in seconds of the last value.</param>
    public float[]? Read(string topic, string key, int column, bool isLong, long second)
    {
        lock (_sync)
        {
            return !_entries.TryGetValue((topic, key), out var entry) ? null
                : isLong ? entry.Long?.Read(column, second / LongStep)
                : entry.Short?.Read(column, second);
        }
    }

    /// <summary>Removes histories whose samples are all too old to be shown.</summary>
    /// <param name="second">Time in seconds.</param>
    public void RemoveExpired(long second)
    {
        lock (_sync)
        {
            foreach (var (id, entry) in _entries)
            {
                if (entry.Short is { } ring && ring.Newest <= second - ShortLength)
                {
                    Bytes -= ring.Bytes;
                    entry.Short = null;
                }

                if (entry.LastSecond <= second - (entry.HasLong ? LongLength * LongStep : ShortLength))
                    Remove(id);
            }
        }
    }

    private void Set(ref SampleRing? ring, int length, long step, ReadOnlySpan<float> sample)
    {
        if (ring is null)
        {
            ring = new(sample.Length, length);
            Bytes += ring.Bytes;
        }

        ring.Set(step, sample);
    }

    private void Evict()
    {
        // A tenth more than necessary, so that the next rows do not cause a search each.
        foreach (var (id, _) in _entries.OrderBy(pair => pair.Value.HasLong).ThenBy(pair => pair.Value.LastSecond).ThenBy(pair => pair.Value.Sequence).ToList())
        {
            if (Bytes <= _maxBytes * 9 / 10)
                return;
            Remove(id);
        }
    }

    private void Remove((string Topic, string Key) id)
    {
        if (!_entries.Remove(id, out var entry))
            return;
        Bytes -= (entry.Short?.Bytes ?? 0) + (entry.Long?.Bytes ?? 0);
    }

    private sealed class Entry(bool hasLong)
    {
        private static long _created;
        public SampleRing? Short;
        public SampleRing? Long;

        public bool HasLong => hasLong;

        public long Sequence { get; } = Interlocked.Increment(ref _created);

        public long LastSecond { get; set; }
    }
}
