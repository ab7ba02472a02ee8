using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Gateway.Listening;
using Serve.Gateway.Proxy;
using Serve.Gateway.Requests;
using Serve.Runtime;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Serve.Gateway;

/// <summary>Registration of the gateway.</summary>
public static class GatewayServiceCollectionExtensions
{
    /// <summary>Registers the gateway and its listener. Requires a <see cref="Serve.Routing.RouteTable"/>; use it with <see cref="GatewayApplicationBuilderExtensions.UseServeGateway"/>.</summary>
    /// <param name="services">The services of the gateway's own web application.</param>
    /// <param name="options">The settings.</param>
    public static IServiceCollection AddServeGateway(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<SlowReaderMonitor>();
        services.AddSingleton<IConnectionListenerFactory, SharedPort.ListenerFactory>();
        services.Configure<KestrelServerOptions>(kestrel => kestrel.ListenAsGateway(options));
        services.AddRouting();
        services.AddSingleton<GatewayReadiness>();
        services.AddSingleton<HttpRequestMetrics>();
        services.AddSingleton<RouteTableConfigProvider>();
        services.AddSingleton<IProxyConfigProvider>(provider => provider.GetRequiredService<RouteTableConfigProvider>());
        services.AddSingleton<IConfigChangeListener>(provider => provider.GetRequiredService<RouteTableConfigProvider>());
        services.AddSingleton<RoutePublicationAcknowledger>();
        services.AddSingleton<ITopicSubscriber>(provider => provider.GetRequiredService<RoutePublicationAcknowledger>());
        services.AddReverseProxy().AddTransforms<WorkerHeaderTransforms>();
        KeepNoKeys(services);
        services.RemoveAll<IForwarderHttpClientFactory>();
        services.AddSingleton<ShadowRequestSender>();
        services.AddSingleton<WorkerHttpClientFactory>();
        services.AddSingleton<IForwarderHttpClientFactory>(provider => provider.GetRequiredService<WorkerHttpClientFactory>());
        services.AddLogging(Quieten);
        return services;
    }

    private static void KeepNoKeys(IServiceCollection services)
    {
        // YARP adds data protection for session affinity, which this gateway does not use; this hosted service would create a
        // key at start and write it to the user's home directory.
        var keys = services.Where(service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.Namespace?.StartsWith("Microsoft.AspNetCore.DataProtection", StringComparison.Ordinal) is true).ToArray();
        foreach (var service in keys)
            services.Remove(service);
    }

    private static void Quieten(ILoggingBuilder logging)
    {
        // A log line costs more than a request; with this category enabled, hosting also creates an Activity per request.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        logging.AddFilter("Microsoft.AspNetCore.Routing", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning);
        logging.AddFilter("Yarp.ReverseProxy", LogLevel.Warning);
        // The gateway logs dead workers itself, with the replica's id; disconnected clients are not logged.
        logging.AddFilter("Yarp.ReverseProxy.Forwarder.HttpForwarder", LogLevel.None);
    }
}
