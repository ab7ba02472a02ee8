namespace Serve;

/// <summary>How the methods of one replica may overlap.</summary>
public enum ConcurrencyMode
{
    /// <summary>
    /// One turn of user code at a time; other requests interleave where it awaits, as on Python's event loop or in an
    /// Orleans grain. The default: fields need no lock.
    /// </summary>
    TurnBased,

    /// <summary>Requests run side by side on the thread pool. For classes that are thread-safe.</summary>
    Parallel,
}
