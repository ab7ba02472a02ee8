using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.Extensions.Logging;
using Serve.Routing;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Serve.Gateway.Proxy;

/// <summary>
/// YARP's configuration, derived from the route table: one route and one cluster without destinations per application. Changes only with
/// applications and prefixes, not with replicas. The only writer of that configuration.
/// </summary>
internal sealed partial class RouteTableConfigProvider : IProxyConfigProvider, IConfigChangeListener, IDisposable
{
    private static readonly ForwarderRequestConfig ForwarderConfig = new()
    {
        Version = System.Net.HttpVersion.Version11,
        VersionPolicy = System.Net.Http.HttpVersionPolicy.RequestVersionExact,
        // The duration of a request is limited by request_timeout_s and by the client only.
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
        _table = table;
        _log = log;
        _rootPath = options.Http.RootPath.TrimEnd('/');
        _current = new ProxyConfigSnapshot([], [], []);
        table.Applied += Refresh;
        Refresh();
    }

    /// <inheritdoc/>
    public IProxyConfig GetConfig() => Volatile.Read(ref _current);

    /// <summary>Waits until YARP has applied the prefixes of the current route snapshot, if YARP has started.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
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
        // YARP keeps the last valid configuration; an acknowledgement must not wait for the invalid one.
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

        // Outside of the lock: YARP reloads and calls back on this thread.
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
            // A single invalid prefix would make YARP reject the whole configuration.
            RoutePatternFactory.Parse(PatternOf(prefix));
            return true;
        }
        catch (RoutePatternException error)
        {
            Log.PrefixIgnored(_log, prefix, application, error);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4000, Level = LogLevel.Error, Message = "Route prefix '{Prefix}' of application {Application} is invalid; the application does not receive HTTP requests")]
        public static partial void PrefixIgnored(ILogger logger, string prefix, string application, Exception error);

        [LoggerMessage(EventId = 4001, Level = LogLevel.Error, Message = "New routes could not be applied; the last valid ones stay in effect")]
        public static partial void NotApplied(ILogger logger, Exception error);
    }
}
