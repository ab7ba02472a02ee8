using System.Net.Http.Headers;
using Serve.Routes;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Serve.Gateway.Proxy;

/// <summary>What the gateway changes on the way to a worker and back: its own headers, the body's way of being sent, and a refusal that the client must not see.</summary>
internal sealed class WireTransforms : ITransformProvider
{
    /// <inheritdoc/>
    public void ValidateRoute(TransformRouteValidationContext context)
    {
    }

    /// <inheritdoc/>
    public void ValidateCluster(TransformClusterValidationContext context)
    {
    }

    /// <inheritdoc/>
    public void Apply(TransformBuilderContext context)
    {
        context.AddRequestTransform(TransformRequest);
        context.AddResponseTransform(TransformResponse);
    }

    private static ValueTask TransformRequest(RequestTransformContext context)
    {
        var attempt = context.HttpContext.Features.Get<ForwardAttempt>()!;
        var request = context.ProxyRequest;
        var headers = request.Headers;
        Set(headers, WireHeaders.Token, attempt.Slot.Route.Process.Token);
        Set(headers, WireHeaders.Actor, attempt.Slot.Route.ReplicaId);
        Set(headers, WireHeaders.PathBase, attempt.PathBase);
        Set(headers, WireHeaders.RequestId, attempt.RequestId);
        headers.Remove(WireHeaders.Refused);

        headers.ExpectContinue = attempt.Body is { IsAskedFor: true } ? true : null;
        request.Options.Set(ForwardAttempt.OptionsKey, attempt);
        return default;
    }

    private static ValueTask TransformResponse(ResponseTransformContext context)
    {
        if (context.ProxyResponse is { } response
            && response.Headers.NonValidated.TryGetValues(WireHeaders.Refused, out var refused)
            && context.HttpContext.Features.Get<ForwardAttempt>() is { } attempt)
        {
            attempt.Refused = refused.ToString();
            context.SuppressResponseBody = true;
        }

        return default;
    }

    private static void Set(HttpRequestHeaders headers, string name, string? value)
    {
        headers.Remove(name);
        headers.TryAddWithoutValidation(name, value);
    }
}
