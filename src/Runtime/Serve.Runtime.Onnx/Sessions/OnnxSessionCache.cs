namespace Serve.Runtime.Onnx.Sessions;

/// <summary>Sessions of this process, shared by equal models and counted by reference; disposing the last lease disposes the session.</summary>
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

    /// <summary>Leases a session; loads it if necessary, or waits while another caller loads it.</summary>
    /// <param name="key">Identity of the session.</param>
    /// <param name="load">Loads the session; called once for concurrent callers.</param>
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
            // The next caller tries again.
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

/// <summary>Reference of one model to a shared session. Disposal is idempotent.</summary>
internal sealed class OnnxSessionLease(SharedOnnxSession session, Action release) : IDisposable
{
    private Action? _release = release;

    public SharedOnnxSession Session => session;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
