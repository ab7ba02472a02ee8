namespace Serve;

/// <summary>Something that whoever makes an object cannot go on without. Immutable.</summary>
/// <param name="since">Equal for as long as it has been needed without a break.</param>
public abstract class ObjectDependency(object since)
{
    public object WaitIdentity => since;

    /// <summary>Those whose coming could meet it.</summary>
    public abstract IEnumerable<ObjectRef> CandidateObjects { get; }

    /// <summary>Whether it is met when these come.</summary>
    public abstract bool IsSatisfied(Func<ObjectRef, bool> comes);

    /// <summary>For people, after the name of who needs it: <c>waits for task Demo.Sum (000…1)</c>.</summary>
    /// <param name="next">The one of its objects that is told of next.</param>
    /// <param name="comes">Which of its objects come.</param>
    public abstract string Describe(string next, Func<ObjectRef, bool> comes);
}
