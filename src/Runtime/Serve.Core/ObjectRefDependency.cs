namespace Serve;

/// <summary>So many of some refs have to be ready.</summary>
/// <param name="since">Equal for as long as it has been needed without a break.</param>
/// <param name="references">The refs.</param>
/// <param name="count">How many of them.</param>
/// <param name="untilFault">Whether one that fails is enough.</param>
public class ObjectRefDependency(object since, IReadOnlyList<ObjectRef> references, int count, bool untilFault = false) : ObjectDependency(since)
{
    public override IEnumerable<ObjectRef> CandidateObjects => references;

    public override bool IsSatisfied(Func<ObjectRef, bool> comes)
    {
        var missing = count;
        for (var i = 0; i < references.Count && missing > 0; i++)
        {
            if (!comes(references[i]))
                continue;

            // What comes may fail.
            if (untilFault && (!references[i].IsReady || references[i].IsFaulted))
                return true;
            missing--;
        }

        return missing <= 0;
    }

    public override string Describe(string next, Func<ObjectRef, bool> comes) => $"waits for {next}";
}
