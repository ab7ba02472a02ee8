namespace Serve.Rl.Vectors;

/// <summary>Writes an observation to a row of elements.</summary>
internal delegate void ObservationWriter<TObs, TElement>(TObs observation, Span<TElement> row);

/// <summary>Reads an action from a row of elements.</summary>
internal delegate TAct ActionReader<TAct, TElement>(ReadOnlySpan<TElement> row);

/// <summary>Steps single environments one after another.</summary>
internal sealed class SyncVectorEnv<TObs, TAct, TObsElement, TActElement>(
    Env<TObs, TAct>[] environments, int observationSize, ObservationWriter<TObs, TObsElement> write, int actionSize, ActionReader<TAct, TActElement> read)
    : VectorEnv<TObsElement, TActElement>(environments[0].Spec, environments.Length, environments[0].ObservationSpace, environments[0].ActionSpace, observationSize, actionSize)
    where TObs : notnull
    where TAct : notnull
    where TObsElement : unmanaged
    where TActElement : unmanaged
{
    private readonly TAct[] _actions = new TAct[environments.Length];

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var env in environments)
                env.Dispose();
        }

        base.Dispose(disposing);
    }

    private protected override void ResetCore(Span<TObsElement> observations, ulong? seed)
    {
        for (var i = 0; i < environments.Length; i++)
            write(environments[i].Reset(seed + (ulong)i).Observation, Row(observations, i));
    }

    private protected override void RequireActions(ReadOnlySpan<TActElement> actions)
    {
        for (var i = 0; i < environments.Length; i++)
        {
            _actions[i] = read(actions.Slice(i * ActionSize, ActionSize));
            if (!environments[i].ActionSpace.IsUsableAction(_actions[i]))
                throw InvalidAction(i, _actions[i]);
        }
    }

    private protected override void StepCore(ReadOnlySpan<TActElement> actions, VectorStep<TObsElement> into)
    {
        for (var i = 0; i < environments.Length; i++)
        {
            var step = environments[i].Step(_actions[i]);
            var row = Row(into.Observations, i);
            var final = Row(into.FinalObservations, i);
            write(step.Observation, final);
            into.Rewards[i] = (float)step.Reward;
            into.Terminated[i] = step.Terminated;
            into.Truncated[i] = step.Truncated;
            if (step.Done)
                write(environments[i].Reset().Observation, row);
            else
                final.CopyTo(row);
        }
    }

    private Span<TObsElement> Row(Span<TObsElement> rows, int index) => rows.Slice(index * ObservationSize, ObservationSize);
}
