using System.Collections.Immutable;
using Serve.Runtime.Scheduling;

namespace Serve.Runtime.Actors;

/// <summary>Effective options of an actor, resolved from the attribute of its class, the options of its creation, and the defaults of the cluster.</summary>
public sealed record ResolvedActorOptions
{
    private const int DefaultConcurrency = 1000;

    public string? Name { get; init; }

    public bool IsDetached { get; init; }

    public required ResourceDemand Demand { get; init; }

    public required bool IsProcess { get; init; }

    public required int MaxRestarts { get; init; }

    public required int MaxTaskRetries { get; init; }

    public required Type[] RetryOn { get; init; }

    public required int MaxPendingCalls { get; init; }

    public required ConcurrencyMode Concurrency { get; init; }

    public required int MaxConcurrency { get; init; }

    /// <summary>Limits of the concurrency groups, by name.</summary>
    public required ImmutableDictionary<string, int> Groups { get; init; }

    public SchedulingStrategy? Scheduling { get; init; }

    /// <exception cref="ArgumentException">A number is out of range, or a text cannot be parsed.</exception>
    public static ResolvedActorOptions Resolve(RemoteAttribute defaults, ActorOptions? options, SchedulingStrategy? inherited, Isolation clusterIsolation)
    {
        options ??= new();
        var isolation = options.Isolation != Isolation.Default ? options.Isolation
            : defaults.Isolation != Isolation.Default ? defaults.Isolation
            : clusterIsolation;
        var settings = new ResolvedActorOptions
        {
            Name = options.Name,
            IsDetached = options.Detached,
            Demand = ResourceDemandFactory.Of(
                options.NumCpus ?? Math.Max(defaults.NumCpus, 0),
                options.NumGpus ?? defaults.NumGpus,
                options.Memory ?? defaults.Memory,
                options.Resources ?? NamedAmountParser.Parse<double>(defaults.Resources)),
            IsProcess = isolation == Isolation.Process,
            MaxRestarts = options.MaxRestarts ?? defaults.MaxRestarts,
            MaxTaskRetries = options.MaxTaskRetries ?? defaults.MaxTaskRetries,
            RetryOn = defaults.RetryOn,
            MaxPendingCalls = options.MaxPendingCalls ?? defaults.MaxPendingCalls,
            Concurrency = options.Concurrency ?? defaults.Concurrency,
            MaxConcurrency = (options.MaxConcurrency ?? defaults.MaxConcurrency) is > 0 and var limit ? limit : DefaultConcurrency,
            Groups = options.ConcurrencyGroups ?? NamedAmountParser.Parse<int>(defaults.ConcurrencyGroups),
            Scheduling = options.Scheduling ?? inherited,
        };
        settings.Check(options);
        return settings;
    }

    private void Check(ActorOptions options)
    {
        if (options.GetIfExists && options.Name is null)
            throw new ArgumentException("GetIfExists requires a Name.");
        if (options.Name is { Length: 0 })
            throw new ArgumentException("Name must not be empty.");
        AtLeast(MaxRestarts, -1, nameof(MaxRestarts));
        AtLeast(MaxTaskRetries, -1, nameof(MaxTaskRetries));
        AtLeast(MaxPendingCalls, -1, nameof(MaxPendingCalls));
        AtLeast(options.MaxConcurrency ?? 0, 0, nameof(MaxConcurrency));
        foreach (var (group, limit) in Groups)
            AtLeast(limit, 1, $"The limit of concurrency group '{group}'");
    }

    private static void AtLeast(int value, int least, string what)
    {
        if (value < least)
            throw new ArgumentException($"{what} must be at least {least}, but was {value}.");
    }
}
