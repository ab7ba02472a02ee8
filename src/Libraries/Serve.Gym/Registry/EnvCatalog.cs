using System.Collections.Concurrent;
using System.Globalization;
using System.Text.RegularExpressions;
using Serve.Rl.Environments;

namespace Serve.Rl.Registry;

/// <summary>The registered environments of this process.</summary>
internal sealed partial class EnvCatalog
{
    private readonly ConcurrentDictionary<string, EnvRegistration> _entries = new();

    public static EnvCatalog Shared { get; } = CreateWithBuiltIns();

    public IReadOnlyList<EnvSpec> Specs => [.. _entries.Values.Select(entry => entry.Spec).OrderBy(spec => spec.Id, StringComparer.Ordinal)];

    public void Add(EnvSpec spec, Func<EnvArguments, Env> factory)
    {
        ArgumentNullException.ThrowIfNull(spec.Id);
        ArgumentNullException.ThrowIfNull(factory);
        if (!IdPattern().IsMatch(spec.Id))
            throw new ArgumentException($"Id of an environment must have the form 'Name-v0' or 'namespace/Name-v0', but was '{spec.Id}'.", nameof(spec));
        if (spec.MaxEpisodeSteps < 1)
            throw new ArgumentOutOfRangeException(nameof(spec), $"The limit of steps of {spec.Id} must be at least 1, but was {spec.MaxEpisodeSteps}.");
        if (!_entries.TryAdd(spec.Id, new(spec, factory)))
            throw new ArgumentException($"Environment {spec.Id} is already registered. Choose another name or version.", nameof(spec));
    }

    public EnvRegistration Find(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        if (_entries.TryGetValue(id, out var entry))
            return entry;

        var match = IdPattern().Match(id);
        var name = match.Success ? match.Groups["name"].Value : id;
        var versions = _entries.Values.Where(candidate => IdPattern().Match(candidate.Spec.Id).Groups["name"].Value == name).OrderBy(candidate => VersionOf(candidate.Spec.Id)).ToArray();
        if (versions.Length > 0 && !match.Success)
            return versions[^1];
        if (versions.Length > 0)
            throw new EnvNotFoundException($"Environment '{id}' is not registered. Registered versions: {string.Join(", ", versions.Select(version => version.Spec.Id))}.");
        var hint = NearestNameFinder.Find(id, Specs.Select(spec => spec.Id)) is { } near ? $"Did you mean '{near}'? " : "";
        throw new EnvNotFoundException(
            $"Environment '{id}' is not registered. {hint}Register your own with Gym.Register(\"{(match.Success ? id : "MyEnv-v0")}\", () => new MyEnv()). Registered: {string.Join(", ", Specs.Select(spec => spec.Id))}.");
    }

    private static int VersionOf(string id) => int.Parse(IdPattern().Match(id).Groups["version"].Value, CultureInfo.InvariantCulture);

    private static EnvCatalog CreateWithBuiltIns()
    {
        var catalog = new EnvCatalog();
        foreach (var version in new[] { "Taxi-v3", "Taxi-v4" })
            Add(version, 200, 8, a => new TaxiEnv(a.Get("is_rainy", false), a.Get("fickle_passenger", false), a.Get("rainy_probability", 0.8), a.Get("fickle_probability", 0.3)));
        Add("FrozenLake-v1", 100, 0.70, a => CreateFrozenLake(a, "4x4"));
        Add("FrozenLake8x8-v1", 200, 0.85, a => CreateFrozenLake(a, "8x8"));
        Add("CliffWalking-v1", null, null, a => new CliffWalkingEnv(a.Get("is_slippery", false)));
        Add("CliffWalkingSlippery-v1", null, null, a => new CliffWalkingEnv(a.Get("is_slippery", true)));
        Add("Blackjack-v1", null, null, a => new BlackjackEnv(a.Get("natural", false), a.Get("sab", true)));
        Add("CartPole-v0", 200, 195, a => new CartPoleEnv(a.Get("sutton_barto_reward", false)));
        Add("CartPole-v1", 500, 475, a => new CartPoleEnv(a.Get("sutton_barto_reward", false)));
        Add("MountainCar-v0", 200, -110, a => new MountainCarEnv(a.Get("goal_velocity", 0.0)));
        Add("MountainCarContinuous-v0", 999, 90, a => new MountainCarContinuousEnv(a.Get("goal_velocity", 0.0)));
        Add("Pendulum-v1", 200, null, a => new PendulumEnv(a.Get("g", 10.0)));
        Add("Acrobot-v1", 500, -100, _ => new AcrobotEnv());
        return catalog;

        void Add(string id, int? maxEpisodeSteps, double? rewardThreshold, Func<EnvArguments, Env> factory) => catalog.Add(new(id, maxEpisodeSteps, rewardThreshold), factory);
    }

    private static FrozenLakeEnv CreateFrozenLake(EnvArguments arguments, string defaultMap)
    {
        var desc = arguments.Get<IReadOnlyList<string>?>("desc", null);
        var map = desc ?? arguments.Get("map_name", defaultMap) switch
        {
            "4x4" => FrozenLakeEnv.Map4x4,
            "8x8" => FrozenLakeEnv.Map8x8,
            var name => throw new ArgumentException($"Argument 'map_name' of FrozenLake must be 4x4 or 8x8, but was '{name}'. Pass other maps as 'desc'."),
        };
        return new(map, arguments.Get("is_slippery", true), arguments.Get("success_rate", 1.0 / 3.0));
    }

    [GeneratedRegex(@"^(?<name>(?:[\w:-]+/)?[\w:.-]+?)-v(?<version>\d{1,9})$")]
    private static partial Regex IdPattern();
}

/// <summary>A registered environment.</summary>
internal sealed record EnvRegistration(EnvSpec Spec, Func<EnvArguments, Env> Factory)
{
    /// <summary>Creates the environment without wrappers.</summary>
    public Env Create(IReadOnlyDictionary<string, object>? values)
    {
        var arguments = new EnvArguments(Spec.Id, values);
        var env = Factory(arguments) ?? throw new InvalidOperationException($"The factory of {Spec.Id} must return an environment, but returned null.");
        arguments.RequireAllRead();
        env.Spec = Spec;
        return env;
    }
}
