using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Serve.Http;
using Serve.Inference.Grpc;
using Serve.Inference.Models;
using Serve.Inference.Rest;
using Serve.Replica.Instances;
using Serve.Specs;

namespace Serve.Inference;

/// <summary>Settings of the protocol on a node. Fixed while it runs.</summary>
/// <param name="Http">Root path and size limit of requests.</param>
/// <param name="Guard">Clients that may load and unload models.</param>
public sealed record OpenInferenceOptions(HttpOptions Http, RequestGuardOptions Guard);

/// <summary>Registration of the Open Inference Protocol.</summary>
public static class InferenceServiceCollectionExtensions
{
    /// <summary>Lets the replicas of this process, node or worker, serve models without code. Requires <c>AddServeReplicas</c>.</summary>
    /// <param name="services">The services of the process.</param>
    public static IServiceCollection AddServeModels(this IServiceCollection services)
    {
        services.TryAddSingleton(new BuiltInDeploymentClass(typeof(OnnxModelServer)));
        return services;
    }

    /// <summary>Registers the server part of the protocol: health, metadata, statistics and model repository of a node. Requires <c>AddServeRouting</c>.</summary>
    /// <param name="services">The services of the gateway.</param>
    /// <param name="options">The settings.</param>
    public static IServiceCollection AddServeInference(this IServiceCollection services, OpenInferenceOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<IModelRepository, EmptyModelRepository>();
        services.AddSingleton<ServedModelCatalog>();
        services.AddSingleton<ServerRestEndpoints>();
        services.AddSingleton<ServerGrpcService>();
        services.AddSingleton<HealthGrpcService>();
        services.AddSingleton<ModelCallRouter>();
        return services;
    }

    /// <summary>Adds the protocol to a pipeline, before its routing.</summary>
    /// <param name="app">The gateway's pipeline.</param>
    public static IApplicationBuilder UseOpenInference(this IApplicationBuilder app) => app.UseMiddleware<OpenInferenceMiddleware>();
}
