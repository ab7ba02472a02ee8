namespace Serve.Runtime.CoreActors;

/// <summary>One life of an actor: what runs its calls, and how it ends. Made anew with every restart.</summary>
internal abstract class ActorIncarnation
{
    /// <summary>How it ended by itself; null while it has not.</summary>
    public virtual string? EndedBecause => null;

    public virtual string? WorkerId => null;

    public virtual int Pid => Environment.ProcessId;

    /// <summary>Counts what goes on; null where another process does.</summary>
    public virtual ConcurrencyLimiter? Gate => null;

    /// <summary>Ends it: lets its calls end for a while and disposes it, or kills its process.</summary>
    public abstract Task EndAsync(TimeSpan drain, bool kill);
}
