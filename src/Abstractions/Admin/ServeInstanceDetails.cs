using Serve.Specs;

namespace Serve.Admin;

/// <summary>Everything about a node, as <c>GET /api/serve/applications/</c> tells it; Ray Serve's names.</summary>
public sealed record ServeInstanceDetails
{
    /// <summary>Who decides.</summary>
    public required ControllerDetails ControllerInfo { get; init; }

    /// <summary>Where gateways run; always <c>EveryNode</c>.</summary>
    public string ProxyLocation { get; init; } = "EveryNode";

    /// <summary>How the gateway listens.</summary>
    public HttpOptions? HttpOptions { get; init; }

    /// <summary>The gateways by node id.</summary>
    public IReadOnlyDictionary<string, ProxyDetails> Proxies { get; init; } = new Dictionary<string, ProxyDetails>();

    /// <summary>The applications by name.</summary>
    public IReadOnlyDictionary<string, ApplicationDetails> Applications { get; init; } = new Dictionary<string, ApplicationDetails>();

    /// <summary>Percentage of the wanted replicas to run; null for all.</summary>
    public double? TargetCapacity { get; init; }

    /// <summary>Where a load balancer in front finds each route prefix.</summary>
    public IReadOnlyList<TargetGroup> TargetGroups { get; init; } = [];
}
