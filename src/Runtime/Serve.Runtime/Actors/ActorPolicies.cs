namespace Serve.Runtime.Actors;

/// <summary>How often an actor is restarted after its incarnation has ended unexpectedly.</summary>
public readonly record struct RestartPolicy
{
    private const int Unlimited = -1;
    private readonly int _limit;

    private RestartPolicy(int limit) => _limit = limit;

    /// <summary>The actor is never restarted.</summary>
    public static RestartPolicy Never => default;

    /// <summary>The actor is restarted without limit.</summary>
    public static RestartPolicy Always => new(Unlimited);

    /// <summary>The actor is restarted up to <paramref name="limit"/> times; -1 means without limit.</summary>
    public static RestartPolicy UpTo(int limit) => new(limit);

    /// <summary>Whether the actor is ever restarted.</summary>
    public bool IsNever => _limit == 0;

    /// <summary>Whether an actor that has been restarted <paramref name="restarts"/> times may be restarted again.</summary>
    public bool Allows(int restarts) => _limit == Unlimited || restarts < _limit;
}

/// <summary>What an actor does with work that it cannot accept at the moment: its creation while resources are reserved by others, and calls beyond its limit or while it does not run.</summary>
public enum AdmissionPolicy
{
    /// <summary>Fails at once; the caller retries or chooses another actor. Used by replicas, which are reached through a router.</summary>
    Refuse,

    /// <summary>Waits, in order. Used by Core's actors.</summary>
    Queue,
}

/// <summary>Who decides when an actor ends.</summary>
public enum ActorOwner
{
    /// <summary>The controller of the node stops it explicitly.</summary>
    Controller,

    /// <summary>The actor ends when its last handle has been garbage collected and its calls have ended.</summary>
    Handles,

    /// <summary>The actor runs until it is killed or its cluster is disposed.</summary>
    Detached,
}
