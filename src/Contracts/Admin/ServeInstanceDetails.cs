using Serve.Specs;

namespace Serve.Admin;

/// <summary>State of all applications, as returned by <c>GET /api/serve/applications/</c>, in Ray Serve's schema.</summary>
public sealed record ServeInstanceDetails
{
    /// <summary>The controller.</summary>
    public required ControllerDetails ControllerInfo { get; init; }

    /// <summary>Where gateways run; always <c>EveryNode</c>.</summary>
    public string ProxyLocation { get; init; } = "EveryNode";

    /// <summary>The gateway's HTTP settings.</summary>
    public HttpOptions? HttpOptions { get; init; }

    /// <summary>The gateways by node id.</summary>
    public IReadOnlyDictionary<string, ProxyDetails> Proxies { get; init; } = new Dictionary<string, ProxyDetails>();

    /// <summary>The applications by name.</summary>
    public IReadOnlyDictionary<string, ApplicationDetails> Applications { get; init; } = new Dictionary<string, ApplicationDetails>();

    /// <summary>Percentage of the target replicas to run; null for all.</summary>
    public double? TargetCapacity { get; init; }

    /// <summary>The node's config directory (<c>--config-dir</c>); null if it has none.</summary>
    public ConfigDirectoryDetails? ConfigDirectory { get; init; }

    /// <summary>Addresses for external load balancers, by route prefix.</summary>
    public IReadOnlyList<TargetGroup> TargetGroups { get; init; } = [];
}

/// <summary>The directory whose config files the node applies when they change.</summary>
public sealed record ConfigDirectoryDetails
{
    /// <summary>Path of the directory.</summary>
    public required string Path { get; init; }

    /// <summary>When its configuration was last applied, in seconds since 1970; null for never.</summary>
    public double? AppliedTimeS { get; init; }

    /// <summary>Why the current files are not applied; empty if they are.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];
}

/// <summary>The addresses to which an external load balancer sends the requests of one route prefix.</summary>
public sealed record TargetGroup
{
    /// <summary>The route prefix.</summary>
    public required string RoutePrefix { get; init; }

    /// <summary><c>HTTP</c> or <c>gRPC</c>.</summary>
    public string Protocol { get; init; } = "HTTP";

    /// <summary>The gateways.</summary>
    public IReadOnlyList<TargetDetails> Targets { get; init; } = [];
}

/// <summary>One address of a <see cref="TargetGroup"/>.</summary>
public sealed record TargetDetails
{
    /// <summary>The IP address.</summary>
    public required string Ip { get; init; }

    /// <summary>The port.</summary>
    public int Port { get; init; }

    /// <summary>The machine's id at its cloud provider; empty if there is none.</summary>
    public string InstanceId { get; init; } = "";

    /// <summary>The gateway's name.</summary>
    public string Name { get; init; } = "";
}
