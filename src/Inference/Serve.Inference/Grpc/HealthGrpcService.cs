using Grpc.AspNetCore.Server.Model;
using Grpc.Core;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Serve.Inference.Grpc.Health;
using Serve.Inference.Models;
using ServingStatus = Serve.Inference.Grpc.Health.HealthCheckResponse.Types.ServingStatus;

namespace Serve.Inference.Grpc;

/// <summary>
/// The gRPC health checking protocol of a node, <c>grpc.health.v1.Health</c>. The services are the whole server (an empty name or the protocol's service name) and each model by its name.
/// Holds no state.
/// </summary>
internal sealed class HealthGrpcService
{
    /// <summary>Name of the service in the paths of its methods.</summary>
    public const string Name = "grpc.health.v1.Health";

    private const int MaxMessageSize = 64 * 1024;
    private static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);
    private readonly ServedModelCatalog _catalog;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly TimeProvider _time;
    private readonly Lazy<GrpcServiceEndpoints> _endpoints;

    public HealthGrpcService(ServedModelCatalog catalog, IHostApplicationLifetime lifetime, TimeProvider time)
    {
        (_catalog, _lifetime, _time) = (catalog, lifetime, time);
        _endpoints = new(() => GrpcServiceEndpoints.Build<HealthGrpcService>(AddMethods, MaxMessageSize));
    }

    /// <summary>Serves a call.</summary>
    /// <param name="context">The call.</param>
    /// <param name="method">Name of the method, without its service.</param>
    public Task ServeAsync(HttpContext context, string method) => _endpoints.Value[method](context);

    private static Method<HealthCheckRequest, HealthCheckResponse> Method(MethodType type, string name) =>
        new(type, Name, name, GrpcMarshallers.Of(HealthCheckRequest.Parser), GrpcMarshallers.Of(HealthCheckResponse.Parser));

    private void AddMethods(ServiceMethodProviderContext<HealthGrpcService> methods)
    {
        methods.AddUnaryMethod(Method(MethodType.Unary, "Check"), [], (_, request, context) => CheckAsync(request.Service, context.CancellationToken));
        methods.AddServerStreamingMethod(
            Method(MethodType.ServerStreaming, "Watch"), [], (_, request, responses, context) => WatchAsync(request.Service, responses, context.CancellationToken));
    }

    private async Task<HealthCheckResponse> CheckAsync(string service, CancellationToken cancellationToken) =>
        await StatusOfAsync(service, cancellationToken) is var status && status != ServingStatus.ServiceUnknown
            ? new() { Status = status }
            : throw new RpcException(new Status(StatusCode.NotFound, $"Unknown service '{service}'. Use an empty name for the server, or the name of a model."));

    private async Task WatchAsync(string service, IServerStreamWriter<HealthCheckResponse> responses, CancellationToken cancellationToken)
    {
        ServingStatus? reported = null;
        while (true)
        {
            var status = await StatusOfAsync(service, cancellationToken);
            if (status != reported)
                await responses.WriteAsync(new() { Status = status }, cancellationToken);
            reported = status;
            // A drain waits for open calls.
            if (_lifetime.ApplicationStopping.IsCancellationRequested)
                return;
            await Task.Delay(WatchPeriod, _time, cancellationToken);
        }
    }

    private async Task<ServingStatus> StatusOfAsync(string service, CancellationToken cancellationToken)
    {
        var isServer = service is "" or ModelGrpcService.Name;
        if (!isServer && _catalog.Find(service) is null)
            return ServingStatus.ServiceUnknown;
        var isReady = isServer ? _catalog.IsReady : await _catalog.IsModelReadyAsync(service, null, cancellationToken);
        return isReady && !_lifetime.ApplicationStopping.IsCancellationRequested ? ServingStatus.Serving : ServingStatus.NotServing;
    }
}
