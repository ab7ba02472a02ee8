using Serve.Rl.Registry;
using Serve.Rl.Vectors;

namespace Serve.Rl;

/// <summary>Creates, registers and checks environments. Thread-safe.</summary>
public static class Gym
{
    /// <summary>Gets the specifications of all registered environments, ordered by id.</summary>
    public static IReadOnlyList<EnvSpec> Specs => EnvCatalog.Shared.Specs;

    /// <summary>Creates an environment with its time limit and with checks of actions and of the order of calls.</summary>
    /// <param name="id">The registered id. Without a version (<c>Taxi</c>) the latest one is created.</param>
    /// <param name="arguments">Arguments of the environment by name, for example <c>is_slippery</c>.</param>
    /// <param name="maxEpisodeSteps">Replaces the registered limit of steps.</param>
    /// <exception cref="EnvNotFoundException">The id is not registered; the message suggests the nearest one.</exception>
    /// <exception cref="ArgumentException">An argument is unknown or has another type.</exception>
    public static Env Make(string id, IReadOnlyDictionary<string, object>? arguments = null, int? maxEpisodeSteps = null)
    {
        var entry = EnvCatalog.Shared.Find(id);
        return entry.Create(arguments).Guard(maxEpisodeSteps ?? entry.Spec.MaxEpisodeSteps);
    }

    /// <inheritdoc cref="Make(string, IReadOnlyDictionary{string, object}?, int?)" />
    /// <typeparam name="TObs">The type of observations.</typeparam>
    /// <typeparam name="TAct">The type of actions.</typeparam>
    public static Env<TObs, TAct> Make<TObs, TAct>(string id, IReadOnlyDictionary<string, object>? arguments = null, int? maxEpisodeSteps = null)
        where TObs : notnull
        where TAct : notnull
    {
        var env = Make(id, arguments, maxEpisodeSteps);
        return env as Env<TObs, TAct> ?? throw new ArgumentException(
            $"Environment {id} must have observations of type {typeof(TObs).Name} and actions of type {typeof(TAct).Name}, but has {env.ObservationSpace} and {env.ActionSpace}.", nameof(id));
    }

    /// <summary>
    /// Creates several environments that step together and restart automatically. Environment i is seeded with <c>seed + i</c> and behaves like a single environment with this seed.
    /// </summary>
    /// <param name="id">The registered id.</param>
    /// <param name="count">The number of environments.</param>
    /// <param name="arguments">Arguments of the environment by name.</param>
    /// <param name="maxEpisodeSteps">Replaces the registered limit of steps.</param>
    /// <returns>A <see cref="VectorEnv{TObs, TAct}"/>: integers for discrete observations and actions, floats for others.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is not positive.</exception>
    public static VectorEnv MakeVec(string id, int count, IReadOnlyDictionary<string, object>? arguments = null, int? maxEpisodeSteps = null)
    {
        if (count < 1)
            throw new ArgumentOutOfRangeException(nameof(count), $"The number of environments must be at least 1, but was {count}.");
        var entry = EnvCatalog.Shared.Find(id);
        return VectorEnvFactory.Create(() => entry.Create(arguments), entry.Spec with { MaxEpisodeSteps = maxEpisodeSteps ?? entry.Spec.MaxEpisodeSteps }, count);
    }

    /// <inheritdoc cref="MakeVec(string, int, IReadOnlyDictionary{string, object}?, int?)" />
    /// <typeparam name="TObs">The element type of observations, <see cref="int"/> or <see cref="float"/>.</typeparam>
    /// <typeparam name="TAct">The element type of actions, <see cref="int"/> or <see cref="float"/>.</typeparam>
    public static VectorEnv<TObs, TAct> MakeVec<TObs, TAct>(string id, int count, IReadOnlyDictionary<string, object>? arguments = null, int? maxEpisodeSteps = null)
        where TObs : unmanaged
        where TAct : unmanaged
    {
        var env = MakeVec(id, count, arguments, maxEpisodeSteps);
        return env as VectorEnv<TObs, TAct> ?? throw new ArgumentException(
            $"Environment {id} must have observations of {typeof(TObs).Name} and actions of {typeof(TAct).Name}, but has {env.SingleObservationSpace} and {env.SingleActionSpace}.", nameof(id));
    }

    /// <summary>Registers an environment.</summary>
    /// <param name="id">A name with a version, for example <c>MyEnv-v0</c>, optionally with a namespace, <c>mine/MyEnv-v0</c>.</param>
    /// <param name="factory">Creates the environment.</param>
    /// <param name="maxEpisodeSteps">The number of steps after which episodes are truncated; null for no limit.</param>
    /// <param name="rewardThreshold">The mean return at which the task counts as solved.</param>
    /// <exception cref="ArgumentException">The id is malformed or already registered.</exception>
    public static void Register(string id, Func<Env> factory, int? maxEpisodeSteps = null, double? rewardThreshold = null)
    {
        ArgumentNullException.ThrowIfNull(factory);
        Register(id, _ => factory(), maxEpisodeSteps, rewardThreshold);
    }

    /// <inheritdoc cref="Register(string, Func{Env}, int?, double?)" />
    public static void Register(string id, Func<EnvArguments, Env> factory, int? maxEpisodeSteps = null, double? rewardThreshold = null) =>
        EnvCatalog.Shared.Add(new(id, maxEpisodeSteps, rewardThreshold), factory);

    /// <summary>
    /// Checks that an environment keeps the rules: observations are elements of its space, rewards are finite, and equal seeds yield equal episodes. Executes some 200 random actions.
    /// </summary>
    /// <exception cref="EnvCheckException">The environment breaks rules; the exception lists all of them.</exception>
    public static void Check(Env env)
    {
        ArgumentNullException.ThrowIfNull(env);
        var problems = new EnvChecker(env).Run();
        if (problems.Count > 0)
            throw new EnvCheckException(env.DisplayName, problems);
    }
}
