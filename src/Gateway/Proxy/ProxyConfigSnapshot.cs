using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Primitives;
using Yarp.ReverseProxy.Configuration;

namespace Serve.Gateway.Proxy;

/// <summary>An immutable configuration of YARP. Expires when it has been replaced.</summary>
/// <param name="prefixes">Applications and their route prefixes.</param>
/// <param name="routes">One per application.</param>
/// <param name="clusters">One per application.</param>
internal sealed class ProxyConfigSnapshot(
    (string Application, string Prefix)[] prefixes, IReadOnlyList<RouteConfig> routes, IReadOnlyList<ClusterConfig> clusters) : IProxyConfig
{
    private readonly ConfigurationReloadToken _expired = new();

    /// <summary>Gets the applications and their route prefixes.</summary>
    public (string Application, string Prefix)[] Prefixes { get; } = prefixes;

    /// <inheritdoc/>
    public IReadOnlyList<RouteConfig> Routes { get; } = routes;

    /// <inheritdoc/>
    public IReadOnlyList<ClusterConfig> Clusters { get; } = clusters;

    /// <inheritdoc/>
    public IChangeToken ChangeToken => _expired;

    /// <summary>Notifies YARP that there is a new configuration.</summary>
    public void Expire() => _expired.OnReload();
}
