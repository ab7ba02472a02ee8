namespace Serve.Routing;

/// <summary>One model of one replica, as a router knows it: from the replica's reports and from its own picks, which the next report may not know yet. Written under the router's lock of models.</summary>
internal sealed class TrackedModelState
{
    /// <summary>Whether the newest report lists it.</summary>
    public bool IsReported { get; set; }

    /// <summary>Whether the newest report says that it can be used at once.</summary>
    public bool IsLoaded { get; set; }

    /// <summary>When it was used last, as far as is known.</summary>
    public long LastUsed { get; set; }

    /// <summary>When this router last sent a request for it there; 0 for never.</summary>
    public long SentAt { get; set; }

    /// <summary>When this router sent the request that has most likely had it unloaded; 0 for never.</summary>
    public long EvictedAt { get; set; }
}
