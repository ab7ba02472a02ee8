namespace Serve.Admin;

/// <summary>Where a load balancer in front of the node sends the requests of one route prefix.</summary>
public sealed record TargetGroup
{
    /// <summary>The route prefix.</summary>
    public required string RoutePrefix { get; init; }

    /// <summary><c>HTTP</c> or <c>gRPC</c>.</summary>
    public string Protocol { get; init; } = "HTTP";

    /// <summary>The gateways that answer it.</summary>
    public IReadOnlyList<TargetDetails> Targets { get; init; } = [];
}
