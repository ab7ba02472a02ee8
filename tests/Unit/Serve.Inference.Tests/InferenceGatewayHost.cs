using Serve.Gateway;
using Serve.Gateway.Tests;

namespace Serve.Inference.Tests;

/// <summary>A gateway that serves the protocol.</summary>
internal static class InferenceGatewayHost
{
    public static Task<GatewayTestHost> StartAsync(GatewayOptions? options = null) => GatewayTestHost.StartAsync(
        options, static (services, options) => services.AddServeInference(new(options.Http, options.Guard)), static gateway => gateway.UseOpenInference());
}
