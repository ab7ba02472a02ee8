namespace Serve.Runtime.Onnx.Sessions;

/// <summary>The sessions of this process by what makes them equal. The one writer of how many models use each; the last one's end ends the session.</summary>
internal sealed class SessionCache
{
    private readonly Lock guard = new();
    private readonly Dictionary<string, Entry> entries = new(StringComparer.Ordinal);

    public static SessionCache Shared { get; } = new();

    public int Count
    {
        get
        {
            lock (guard)
                return entries.Count;
        }
    }

    /// <summary>Loads a session, or waits for the one that is loading or loaded.</summary>
    /// <param name="key">Equal for equal sessions.</param>
    /// <param name="load">Loads it; called once however many ask.</param>
    public SessionLease Acquire(string key, Func<SharedSession> load)
    {
        Entry? entry;
        lock (guard)
        {
            if (!entries.TryGetValue(key, out entry))
                entries[key] = entry = new Entry(key, load);
            entry.Users++;
        }

        try
        {
            return new SessionLease(entry.Session.Value, () => Release(entry));
        }
        catch
        {
            // Who asks next tries anew.
            lock (guard)
            {
                if (entries.TryGetValue(key, out var current) && current == entry)
                    entries.Remove(key);
            }

            throw;
        }
    }

    private void Release(Entry entry)
    {
        lock (guard)
        {
            if (--entry.Users > 0)
                return;
            entries.Remove(entry.Key);
        }

        entry.Session.Value.Dispose();
    }

    private sealed class Entry(string key, Func<SharedSession> load)
    {
        public string Key => key;

        public Lazy<SharedSession> Session { get; } = new(load);

        public int Users { get; set; }
    }
}
