using System.Collections.Frozen;
using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Serve.Inference.Grpc;

/// <summary>
/// Methods of a gRPC service as request delegates, served by grpc-dotnet in a container of their own. The caller decides which requests reach them, and the containers of
/// nodes and replicas need no gRPC services. Immutable.
/// </summary>
internal sealed class GrpcServiceEndpoints
{
    private readonly FrozenDictionary<string, RequestDelegate> _methods;
    private readonly RequestDelegate _unimplemented;

    private GrpcServiceEndpoints(FrozenDictionary<string, RequestDelegate> methods, RequestDelegate unimplemented) => (_methods, _unimplemented) = (methods, unimplemented);

    /// <summary>Gets the delegate of a method; for an unknown method, one that fails the call with <see cref="StatusCode.Unimplemented"/>.</summary>
    /// <param name="method">Name of the method, without its service.</param>
    public RequestDelegate this[string method] => _methods.GetValueOrDefault(method, _unimplemented);

    /// <summary>Builds the delegates.</summary>
    /// <typeparam name="TService">The service; grpc-dotnet does not create it, its handlers hold their instance.</typeparam>
    /// <param name="addMethods">Adds the methods of the service.</param>
    /// <param name="maxMessageSize">Limit of a received message in bytes, before and after decompression.</param>
    public static GrpcServiceEndpoints Build<TService>(Action<ServiceMethodProviderContext<TService>> addMethods, int maxMessageSize)
        where TService : class
    {
        // No log providers: most of what grpc-dotnet logs is caused by clients, and the services log their own failures.
        var services = new ServiceCollection().AddLogging();
        services.AddSingleton<IServiceMethodProvider<TService>>(new DelegatedMethodProvider<TService>(addMethods));
        services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = maxMessageSize;
            options.CompressionProviders = [new LimitedGrpcCompression("gzip", maxMessageSize), new LimitedGrpcCompression("deflate", maxMessageSize)];
        }).AddServiceOptions<TService>(static options => options.SuppressCreatingService = true);
        var routes = new DetachedRouteBuilder(services.BuildServiceProvider());
        routes.MapGrpcService<TService>();
        var endpoints = routes.DataSources.SelectMany(static source => source.Endpoints).Cast<RouteEndpoint>().ToList();
        return new(
            endpoints.Where(static endpoint => endpoint.RoutePattern.Parameters.Count == 0)
                .ToFrozenDictionary(static endpoint => endpoint.RoutePattern.RawText!.Split('/')[^1], static endpoint => endpoint.RequestDelegate!, StringComparer.Ordinal),
            endpoints.First(static endpoint => endpoint.RoutePattern.Parameters.Count == 1).RequestDelegate!);
    }

    private sealed class DelegatedMethodProvider<TService>(Action<ServiceMethodProviderContext<TService>> addMethods) : IServiceMethodProvider<TService>
        where TService : class
    {
        public void OnServiceMethodDiscovery(ServiceMethodProviderContext<TService> context) => addMethods(context);
    }

    private sealed class DetachedRouteBuilder(IServiceProvider services) : IEndpointRouteBuilder
    {
        public IServiceProvider ServiceProvider => services;

        public ICollection<EndpointDataSource> DataSources { get; } = [];

        public IApplicationBuilder CreateApplicationBuilder() => new ApplicationBuilder(services);
    }
}
