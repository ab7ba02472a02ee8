using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging;
using Serve.Routing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Serve.Gateway.Proxy;

/// <summary>
/// YARP's configuration, derived from the route table: one route and one cluster without destinations per application. It changes only when
/// applications or prefixes do; replicas come and go without it. The one writer of that configuration.
/// </summary>
internal sealed class RouteTableConfigProvider : IProxyConfigProvider, IConfigChangeListener, IDisposable
{
    private static readonly ForwarderRequestConfig ForwarderConfig = new()
    {
        Version = System.Net.HttpVersion.Version11,
        VersionPolicy = System.Net.Http.HttpVersionPolicy.RequestVersionExact,
        // A replica may think as long as it likes; request_timeout_s and the client's patience are the limits.
        ActivityTimeout = Timeout.InfiniteTimeSpan,
    };

    private readonly RouteTable _table;
    private readonly string _rootPath;
    private readonly ILogger<RouteTableConfigProvider> _log;
    private readonly Lock _writing = new();
    private ProxyConfigSnapshot _current;
    private TaskCompletionSource _progress = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ProxyConfigSnapshot? _applied;

    public RouteTableConfigProvider(RouteTable table, GatewayOptions options, ILogger<RouteTableConfigProvider> log)
    {
        this._table = table;
        this._log = log;
        _rootPath = options.Http.RootPath.TrimEnd('/');
        _current = new ProxyConfigSnapshot([], [], []);
        table.Applied += Refresh;
        Refresh();
    }

    /// <inheritdoc/>
    public IProxyConfig GetConfig() => Volatile.Read(ref _current);

    /// <summary>Waits until YARP routes by the prefixes of the route table's present snapshot, if it routes at all.</summary>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>Completes when it does.</returns>
    public async Task WhenAppliedAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task next;
            lock (_writing)
            {
                if (_applied is null || _applied == _current)
                    return;
                next = _progress.Task;
            }

            await next.WaitAsync(cancellationToken);
        }
    }

    void IConfigChangeListener.ConfigurationApplied(IReadOnlyList<IProxyConfig> proxyConfigs) => OnApplied(proxyConfigs);

    void IConfigChangeListener.ConfigurationApplyingFailed(IReadOnlyList<IProxyConfig> proxyConfigs, Exception exception)
    {
        // YARP keeps the last good configuration; an acknowledgement must not wait for one that will never come.
        Log.NotApplied(_log, exception);
        OnApplied(proxyConfigs);
    }

    void IConfigChangeListener.ConfigurationLoaded(IReadOnlyList<IProxyConfig> proxyConfigs)
    {
    }

    void IConfigChangeListener.ConfigurationLoadingFailed(IProxyConfigProvider configProvider, Exception exception) =>
        Log.NotApplied(_log, exception);

    public void Dispose() => _table.Applied -= Refresh;

    private void OnApplied(IReadOnlyList<IProxyConfig> configs)
    {
        TaskCompletionSource reached;
        lock (_writing)
        {
            _applied = configs.OfType<ProxyConfigSnapshot>().SingleOrDefault();
            (reached, _progress) = (_progress, new(TaskCreationOptions.RunContinuationsAsynchronously));
        }

        reached.SetResult();
    }

    private void Refresh()
    {
        ProxyConfigSnapshot previous;
        lock (_writing)
        {
            var prefixes = _table.Current.ByLongestPrefix
                .Select(entry => (entry.Route.Application, Prefix: entry.Route.RoutePrefix!))
                .Where(entry => IsRoutable(entry.Application, entry.Prefix))
                .ToArray();
            if (prefixes.AsSpan().SequenceEqual(_current.Prefixes))
                return;
            previous = _current;
            Volatile.Write(ref _current, new ProxyConfigSnapshot(
                prefixes,
                [.. prefixes.Select(entry => RouteOf(entry.Application, entry.Prefix))],
                [.. prefixes.Select(entry => new ClusterConfig { ClusterId = entry.Application, HttpRequest = ForwarderConfig })]));
        }

        // Outside the lock: YARP reloads, and reports back, on this thread.
        previous.Expire();
    }

    private RouteConfig RouteOf(string application, string prefix) => new()
    {
        RouteId = application,
        ClusterId = application,
        Match = new RouteMatch { Path = PatternOf(prefix) },
    };

    private string PatternOf(string prefix) =>
        (_rootPath + prefix).TrimEnd('/').Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal) + "/{**rest}";

    private bool IsRoutable(string application, string prefix)
    {
        try
        {
            // One prefix that ASP.NET cannot route by would keep YARP from taking all the others.
            RoutePatternFactory.Parse(PatternOf(prefix));
            return true;
        }
        catch (RoutePatternException error)
        {
            Log.PrefixIgnored(_log, prefix, application, error);
            return false;
        }
    }
}
