using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace Serve.Gateway.Proxy;

/// <summary>One immutable configuration for YARP; expires once, when the next has been put in its place.</summary>
/// <param name="prefixes">What it was made from.</param>
/// <param name="routes">One per application.</param>
/// <param name="clusters">One per application.</param>
internal sealed class ProxyConfigSnapshot(
    (string Application, string Prefix)[] prefixes, IReadOnlyList<RouteConfig> routes, IReadOnlyList<ClusterConfig> clusters) : IProxyConfig
{
    private readonly ConfigurationReloadToken _expired = new();

    /// <summary>What it was made from.</summary>
    public (string Application, string Prefix)[] Prefixes { get; } = prefixes;

    /// <inheritdoc/>
    public IReadOnlyList<RouteConfig> Routes { get; } = routes;

    /// <inheritdoc/>
    public IReadOnlyList<ClusterConfig> Clusters { get; } = clusters;

    /// <inheritdoc/>
    public IChangeToken ChangeToken => _expired;

    /// <summary>Tells YARP to load the next.</summary>
    public void Expire() => _expired.OnReload();
}
