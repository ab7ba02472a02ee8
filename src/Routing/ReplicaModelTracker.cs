using Serve.Routes;

namespace Serve.Routing;

/// <summary>
/// Models of one replica, as this router knows them. Between two reports it applies the effects of the router's own picks: the replica loads the model
/// and unloads the least recently used one. Guarded by the router's lock of its model data.
/// </summary>
/// <param name="time">The clock.</param>
internal sealed class ReplicaModelTracker(TimeProvider time)
{
    /// <summary>How long a pick takes precedence over a report, which may have been sent before the request arrived.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, TrackedModelState> _models = new(StringComparer.Ordinal);
    private readonly long _grace = (long)(Grace.TotalSeconds * time.TimestampFrequency);

    private long _sequence = -1;

    /// <summary>Maximum number of models; -1 for no limit.</summary>
    public int Max { get; private set; }

    /// <summary>Recent duration of a load in milliseconds; 0 while there was none.</summary>
    public double LoadMs { get; private set; }

    /// <summary>Returns whether the replica has the model or is loading it, and whether it is loaded.</summary>
    public bool HasModel(string model, long now, out bool isLoaded)
    {
        isLoaded = false;
        if (!_models.TryGetValue(model, out var state) || !IsHeld(state, now))
            return false;
        isLoaded = state.IsLoaded;
        return true;
    }

    /// <summary>Returns the number of models and the last use of the least recently used one.</summary>
    public (int Count, long Oldest) GetUsage(long now)
    {
        var count = 0;
        var oldest = long.MaxValue;
        foreach (var state in _models.Values)
        {
            if (!IsHeld(state, now))
                continue;
            count++;
            oldest = Math.Min(oldest, state.LastUsed);
        }

        return (count, oldest);
    }

    /// <summary>Records that a request for the model is sent to the replica.</summary>
    public void RecordRequest(string model, long now)
    {
        if (!_models.TryGetValue(model, out var state))
            _models[model] = state = new TrackedModelState();
        var isNew = !IsHeld(state, now);
        (state.LastUsed, state.SentAt, state.EvictedAt) = (now, now, 0);
        if (!isNew)
            return;
        state.IsLoaded = false;
        if (Max >= 0 && GetUsage(now).Count > Max)
            Evict(now);
    }

    /// <summary>Applies a report of the replica.</summary>
    public void ApplyReport(ReplicaModelReport report, long now)
    {
        if (report.Sequence == _sequence)
            return;
        (_sequence, Max, LoadMs) = (report.Sequence, report.MaxModels, report.LoadMs);
        foreach (var state in _models.Values)
            state.IsReported = false;
        foreach (var reported in report.Models)
        {
            if (!_models.TryGetValue(reported.Id, out var state))
                _models[reported.Id] = state = new TrackedModelState();
            state.IsReported = true;
            state.IsLoaded = reported.Loaded;
            state.LastUsed = Math.Max(state.LastUsed, now - (reported.IdleMs * time.TimestampFrequency / 1000));
        }

        foreach (var (model, state) in _models)
        {
            if (!state.IsReported && !IsWithinGrace(state.SentAt, now))
                _models.Remove(model);
        }
    }

    // A recent request precedes a report that does not list its model yet; a recent eviction precedes a report that still does.
    private bool IsHeld(TrackedModelState state, long now) =>
        !IsWithinGrace(state.EvictedAt, now) && (state.IsReported || IsWithinGrace(state.SentAt, now));

    private bool IsWithinGrace(long since, long now) => since != 0 && now - since <= _grace;

    private void Evict(long now)
    {
        TrackedModelState? oldest = null;
        foreach (var state in _models.Values)
        {
            if (IsHeld(state, now) && (oldest is null || state.LastUsed < oldest.LastUsed))
                oldest = state;
        }

        oldest!.EvictedAt = now;
    }

    private sealed class TrackedModelState
    {
        /// <summary>Whether the newest report lists the model.</summary>
        public bool IsReported { get; set; }

        /// <summary>Whether the newest report lists the model as loaded.</summary>
        public bool IsLoaded { get; set; }

        /// <summary>Timestamp of its last known use.</summary>
        public long LastUsed { get; set; }

        /// <summary>Timestamp of this router's last request for it; 0 if there was none.</summary>
        public long SentAt { get; set; }

        /// <summary>Timestamp of this router's request that probably made the replica unload it; 0 if there was none.</summary>
        public long EvictedAt { get; set; }
    }
}
