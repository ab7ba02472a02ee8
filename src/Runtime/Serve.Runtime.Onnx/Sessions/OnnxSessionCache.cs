namespace Serve.Runtime.Onnx.Sessions;

/// <summary>The sessions of this process by what makes them equal. The one writer of how many models use each; the last one's end ends the session.</summary>
internal sealed class OnnxSessionCache
{
    private readonly Lock _guard = new();
    private readonly Dictionary<string, SessionCacheEntry> _entries = new(StringComparer.Ordinal);

    public static OnnxSessionCache Shared { get; } = new();

    public int Count
    {
        get
        {
            lock (_guard)
                return _entries.Count;
        }
    }

    /// <summary>Loads a session, or waits for the one that is loading or loaded.</summary>
    /// <param name="key">Equal for equal sessions.</param>
    /// <param name="load">Loads it; called once however many ask.</param>
    public OnnxSessionLease Acquire(string key, Func<SharedOnnxSession> load)
    {
        SessionCacheEntry? entry;
        lock (_guard)
        {
            if (!_entries.TryGetValue(key, out entry))
                _entries[key] = entry = new SessionCacheEntry(key, load);
            entry.Users++;
        }

        try
        {
            return new OnnxSessionLease(entry.Session.Value, () => Release(entry));
        }
        catch
        {
            // Who asks next tries anew.
            lock (_guard)
            {
                if (_entries.TryGetValue(key, out var current) && current == entry)
                    _entries.Remove(key);
            }

            throw;
        }
    }

    private void Release(SessionCacheEntry entry)
    {
        lock (_guard)
        {
            if (--entry.Users > 0)
                return;
            _entries.Remove(entry.Key);
        }

        entry.Session.Value.Dispose();
    }

    private sealed class SessionCacheEntry(string key, Func<SharedOnnxSession> load)
    {
        public string Key => key;

        public Lazy<SharedOnnxSession> Session { get; } = new(load);

        public int Users { get; set; }
    }
}
