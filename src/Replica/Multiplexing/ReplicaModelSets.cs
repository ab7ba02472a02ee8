using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Serve.Replica.Activation;
using Serve.Replica.Instances;
using Serve.Replica.Telemetry;
using Serve.Routes;
using Serve.Runtime;

namespace Serve.Replica.Multiplexing;

/// <summary>All multiplexed models of one replica: one set per <see cref="MultiplexedAttribute"/> method of its class. Reports the held models to the routers.</summary>
internal sealed class ReplicaModelSets : IUserConfigKey, IAsyncDisposable
{
    private const string MaxModelsKey = "max_models_per_replica";

    private readonly ImmutableArray<MultiplexedModelSet> _sets;
    private readonly ReplicaModelMetrics _metrics;
    private readonly ActorStateReport? _report;
    private long _reported;

    private ReplicaModelSets(IReadOnlyList<MultiplexedMethod> methods, ReplicaId replica, ActorActivationContext actor, TimeProvider time)
    {
        _metrics = new ReplicaModelMetrics(replica);
        _sets = [.. methods.Select(method => new MultiplexedModelSet(method, actor.Turns, time, _metrics, () => _report?.NotifyChanged()))];
        _report = actor.Services.GetService<ActorReportRegistry>()?.Add(actor.Spec.Id, ReplicaModelReport.Topic, Describe);
    }

    /// <summary>Creates the model sets of a replica.</summary>
    /// <returns>Null if its class has none.</returns>
    public static ReplicaModelSets? Of(IReadOnlyList<MultiplexedMethod> methods, ReplicaId replica, ActorActivationContext actor, TimeProvider time) =>
        methods.Count == 0 ? null : new ReplicaModelSets(methods, replica, actor, time);

    /// <summary>Registers <see cref="IMultiplexed{TModel}"/> for each loaded type, and for base types that constructor parameters request.</summary>
    public void AddTo(IServiceCollection services, IEnumerable<Type> asked)
    {
        var methods = _sets.Select(set => set.Method).ToList();
        foreach (var model in methods.Select(method => method.Model).Concat(asked).Distinct())
        {
            if (MultiplexedMethod.Find(methods, model) is not { } method)
                continue;
            var cache = _sets.Single(set => set.Method == method).Cache;
            services.AddSingleton(typeof(IMultiplexed<>).MakeGenericType(model), Activator.CreateInstance(typeof(MultiplexedModelAccessor<>).MakeGenericType(model), cache)!);
        }
    }

    /// <summary>Sets the object whose methods load models, and the log.</summary>
    public void Bind(object target, ILogger logger)
    {
        foreach (var set in _sets)
            set.Bind(target, logger);
    }

    /// <inheritdoc/>
    public string Name => "multiplexed";

    /// <inheritdoc/>
    public Action Read(JsonNode? value)
    {
        var most = MostOf(value);
        return () =>
        {
            foreach (var set in _sets)
                set.Cache.Limit = most ?? set.Method.MaxModels;
        };
    }

    public async ValueTask DisposeAsync()
    {
        _report?.Dispose();
        await Task.WhenAll(_sets.Select(set => set.DisposeAsync().AsTask()));
        _metrics.Dispose();
    }

    private int? MostOf(JsonNode? config)
    {
        if (config is null)
            return null;
        if (config is not JsonObject keys)
            throw new BadInputException($"user_config.{Name} must be an object like {{\"{MaxModelsKey}\": 5}}, but was {config.ToJsonString()}.");
        foreach (var (key, _) in keys)
        {
            if (key != MaxModelsKey)
                throw new BadInputException($"user_config.{Name} has an unknown key '{key}'. The only key is {MaxModelsKey}.");
        }

        if (!UserJsonReader.TryFind(keys, MaxModelsKey, out var value))
            return null;
        return value is JsonValue number && number.GetValueKind() == JsonValueKind.Number && number.TryGetValue<int>(out var most) && most is -1 or > 0
            ? most
            : throw new BadInputException(string.Create(
                CultureInfo.InvariantCulture, $"user_config.{Name}.{MaxModelsKey} must be an integer of at least 1, or -1 for no limit, but was {value?.ToJsonString() ?? "null"}."));
    }

    private ReadOnlyMemory<byte> Describe() => JsonSerializer.SerializeToUtf8Bytes(
        new ReplicaModelReport
        {
            Sequence = Interlocked.Increment(ref _reported),
            MaxModels = _sets.Any(set => set.Cache.Limit < 0) ? -1 : _sets.Sum(set => set.Cache.Limit),
            LoadMs = _sets.Max(set => set.LoadMs),
            Models = [.. _sets.SelectMany(set => set.Cache.Held)],
        },
        ServeJson.Options);
}
