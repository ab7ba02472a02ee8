using System.Text.Json.Nodes;
using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>Settings of a deployment's routers from one source; null where the source does not set a key. <c>request_router_config</c> in a file.</summary>
public sealed record RequestRouterOptions
{
    /// <inheritdoc cref="RequestRouterSpec.Policy"/>
    public RoutingPolicy? Policy { get; init; }

    /// <inheritdoc cref="RequestRouterSpec.Key"/>
    public string? Key { get; init; }

    /// <inheritdoc cref="RequestRouterSpec.RequestRouterClass"/>
    public string? RequestRouterClass { get; init; }

    /// <inheritdoc cref="RequestRouterSpec.RequestRouterKwargs"/>
    public JsonObject? RequestRouterKwargs { get; init; }

    /// <inheritdoc cref="RequestRouterSpec.RequestRoutingStatsPeriodS"/>
    public double? RequestRoutingStatsPeriodS { get; init; }

    /// <inheritdoc cref="RequestRouterSpec.RequestRoutingStatsTimeoutS"/>
    public double? RequestRoutingStatsTimeoutS { get; init; }
}

/// <summary>How the requests of a deployment are distributed over its replicas.</summary>
public sealed record RequestRouterSpec
{
    /// <summary>The built-in policy. Default <see cref="RoutingPolicy.PowerOfTwo"/>.</summary>
    public RoutingPolicy Policy { get; init; }

    /// <summary>
    /// Expression for the key of an HTTP request: <c>header:NAME</c>, <c>cookie:NAME</c>, <c>query:NAME</c>, <c>route:/PATH/{NAME}</c> or <c>json:FIELD.FIELD</c>. Default null: no key.
    /// </summary>
    [ConfigKey(ConfigFormat.RoutingKey)]
    public string? Key { get; init; }

    /// <summary>Name of a class of the application, derived from <see cref="Routing.ReplicaPicker"/>, instead of a built-in policy. Default null.</summary>
    [ConfigKey(ConfigFormat.NonEmptyText)]
    public string? RequestRouterClass { get; init; }

    /// <summary>Settings of that class. Default null: empty.</summary>
    public JsonObject? RequestRouterKwargs { get; init; }

    /// <summary>Interval at which replicas are asked for their routing statistics, in seconds. Default 10.</summary>
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double RequestRoutingStatsPeriodS { get; init; } = 10;

    /// <summary>Timeout of that, in seconds. Default 30.</summary>
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double RequestRoutingStatsTimeoutS { get; init; } = 30;
}
