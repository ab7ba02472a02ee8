using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Serve.Gateway.Proxy;
using Serve.Gateway.Requests;
using Serve.Runtime;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Forwarder;

namespace Serve.Gateway;

/// <summary>Registers this room.</summary>
public static class GatewayServiceCollectionExtensions
{
    /// <summary>Registers the gateway. It needs a <see cref="Serve.Routing.RouteTable"/>; use it with <see cref="GatewayApplicationBuilderExtensions.UseServeGateway"/>.</summary>
    /// <param name="services">The services of the gateway's own web application.</param>
    /// <param name="options">Its settings.</param>
    /// <returns>The services.</returns>
    public static IServiceCollection AddServeGateway(this IServiceCollection services, GatewayOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.AddRouting();
        services.AddSingleton<HttpRequestMetrics>();
        services.AddSingleton<RouteTableConfigProvider>();
        services.AddSingleton<IProxyConfigProvider>(provider => provider.GetRequiredService<RouteTableConfigProvider>());
        services.AddSingleton<IConfigChangeListener>(provider => provider.GetRequiredService<RouteTableConfigProvider>());
        services.AddSingleton<RoutePublicationAcknowledger>();
        services.AddSingleton<ITopicSubscriber>(provider => provider.GetRequiredService<RoutePublicationAcknowledger>());
        services.AddReverseProxy().AddTransforms<WorkerHeaderTransforms>();
        KeepNoKeys(services);
        services.RemoveAll<IForwarderHttpClientFactory>();
        services.AddSingleton<IForwarderHttpClientFactory, WorkerHttpClientFactory>();
        services.AddLogging(Quieten);
        return services;
    }

    private static void KeepNoKeys(IServiceCollection services)
    {
        // YARP brings data protection for the cookies of session affinity, which this gateway does not have; this service of it would make a
        // key at start and write it to the user's home.
        var keys = services.Where(service => service.ServiceType == typeof(IHostedService)
            && service.ImplementationType?.Namespace?.StartsWith("Microsoft.AspNetCore.DataProtection", StringComparison.Ordinal) is true).ToArray();
        foreach (var service in keys)
            services.Remove(service);
    }

    private static void Quieten(ILoggingBuilder logging)
    {
        // A log line for each request costs more than the request. Hosting makes an Activity for each when this category is on at all.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        logging.AddFilter("Microsoft.AspNetCore.Routing", LogLevel.Warning);
        logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel", LogLevel.Warning);
        logging.AddFilter("Yarp.ReverseProxy", LogLevel.Warning);
        // A worker that dies is told by the gateway, once, with the replica's id; a client that leaves is not news.
        logging.AddFilter("Yarp.ReverseProxy.Forwarder.HttpForwarder", LogLevel.None);
    }
}
