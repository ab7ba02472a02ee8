using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// Which models one replica has, as this router knows it. Between two reports it follows what the router's own picks make the replica do: load
/// the model, and unload the one that was not used for longest. Written under the router's lock of models.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class ReplicaModelTracker(TimeProvider time)
{
    /// <summary>How long the router believes its own picks more than a report: a report may have been on its way when the request was sent.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, TrackedModelState> _entries = new(StringComparer.Ordinal);
    private readonly long _grace = (long)(Grace.TotalSeconds * time.TimestampFrequency);

    private long _sequence = -1;

    /// <summary>How many models it may keep; -1 is no limit.</summary>
    public int Max { get; private set; }

    /// <summary>How many milliseconds a load takes of late; 0 while none has been seen.</summary>
    public double LoadMs { get; private set; }

    /// <summary>Whether the replica has the model, or is about to; and if it can be used at once.</summary>
    public bool HasModel(string model, long now, out bool isLoaded)
    {
        isLoaded = false;
        if (!_entries.TryGetValue(model, out var entry) || !IsHeld(entry, now))
            return false;
        isLoaded = entry.IsLoaded;
        return true;
    }

    /// <summary>How many models it has, and when the one that it would unload first was last used.</summary>
    public (int Count, long Oldest) GetUsage(long now)
    {
        var count = 0;
        var oldest = long.MaxValue;
        foreach (var entry in _entries.Values)
        {
            if (!IsHeld(entry, now))
                continue;
            count++;
            oldest = Math.Min(oldest, entry.LastUsed);
        }

        return (count, oldest);
    }

    /// <summary>A request for the model is sent there.</summary>
    public void RecordRequest(string model, long now)
    {
        if (!_entries.TryGetValue(model, out var entry))
            _entries[model] = entry = new TrackedModelState();
        var isNew = !IsHeld(entry, now);
        (entry.LastUsed, entry.SentAt, entry.EvictedAt) = (now, now, 0);
        if (!isNew)
            return;
        entry.IsLoaded = false;
        if (Max >= 0 && GetUsage(now).Count > Max)
            Evict(now);
    }

    /// <summary>Takes what the replica says.</summary>
    public void ApplyReport(ReplicaModelReport report, long now)
    {
        if (report.Sequence == _sequence)
            return;
        (_sequence, Max, LoadMs) = (report.Sequence, report.MaxModels, report.LoadMs);
        foreach (var entry in _entries.Values)
            entry.IsReported = false;
        foreach (var held in report.Models)
        {
            if (!_entries.TryGetValue(held.Id, out var entry))
                _entries[held.Id] = entry = new TrackedModelState();
            entry.IsReported = true;
            entry.IsLoaded = held.Loaded;
            entry.LastUsed = Math.Max(entry.LastUsed, now - (held.IdleMs * time.TimestampFrequency / 1000));
        }

        foreach (var (model, entry) in _entries)
        {
            if (!entry.IsReported && !IsWithin(entry.SentAt, now))
                _entries.Remove(model);
        }
    }

    // What was sent lately is there although no report says so yet; what was pushed out lately is not, although one still does.
    private bool IsHeld(TrackedModelState entry, long now) => !IsWithin(entry.EvictedAt, now) && (entry.IsReported || IsWithin(entry.SentAt, now));

    private bool IsWithin(long since, long now) => since != 0 && now - since <= _grace;

    private void Evict(long now)
    {
        TrackedModelState? oldest = null;
        foreach (var entry in _entries.Values)
        {
            if (IsHeld(entry, now) && (oldest is null || entry.LastUsed < oldest.LastUsed))
                oldest = entry;
        }

        oldest!.EvictedAt = now;
    }
}
