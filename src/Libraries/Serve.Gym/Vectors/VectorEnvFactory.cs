using Serve.Rl.Environments;
using Serve.Rl.Spaces;

namespace Serve.Rl.Vectors;

/// <summary>Chooses the implementation of a vector environment.</summary>
internal static class VectorEnvFactory
{
    /// <summary>Uses a table or vector instructions where the environment permits it, otherwise single environments.</summary>
    public static VectorEnv Create(Func<Env> factory, EnvSpec spec, int count)
    {
        var first = factory();
        switch (first)
        {
            case TabularEnv table when TabularVectorEnv.CanRun(table):
                return new TabularVectorEnv(table, spec, count);
            case CartPoleEnv cartPole:
                return new CartPoleVectorEnv(cartPole, spec, count);
        }

        var environments = Enumerable.Range(0, count).Select(index => index == 0 ? first : factory()).ToArray();
        foreach (var env in environments)
            env.Spec = spec;
        var guarded = Array.ConvertAll(environments, env => env.Guard(spec.MaxEpisodeSteps));
        return guarded[0].Vectorize(guarded);
    }

    /// <summary>Combines single environments; the types of elements follow from the spaces.</summary>
    public static VectorEnv Create<TObs, TAct>(Env<TObs, TAct>[] environments)
        where TObs : notnull
        where TAct : notnull
    {
        var (observationSpace, actionSpace) = (environments[0].ObservationSpace, environments[0].ActionSpace);
        if (typeof(TObs) == typeof(int))
            return WithActions<int>(1, (observation, row) => row[0] = (int)(object)observation);
        return WithActions<float>(observationSpace.FlatSize, observationSpace.Flatten);

        VectorEnv WithActions<TObsElement>(int size, ObservationWriter<TObs, TObsElement> write)
            where TObsElement : unmanaged => (object)actionSpace switch
            {
                Discrete => new SyncVectorEnv<TObs, TAct, TObsElement, int>(environments, size, write, 1, row => (TAct)(object)row[0]),
                MultiDiscrete space => new SyncVectorEnv<TObs, TAct, TObsElement, int>(environments, size, write, space.Counts.Length, row => (TAct)(object)row.ToArray()),
                Box space => new SyncVectorEnv<TObs, TAct, TObsElement, float>(environments, size, write, space.FlatSize, row => (TAct)(object)row.ToArray()),
                _ => throw new ArgumentException($"Action space of a vector environment must be Discrete, MultiDiscrete or Box, but was {actionSpace}."),
            };
    }
}
