using System.Globalization;
using Serve.Routes;
using Yarp.ReverseProxy.Transforms;
using Yarp.ReverseProxy.Transforms.Builder;

namespace Serve.Gateway.Proxy;

/// <summary>Transforms of requests to workers and of their responses: internal headers, how the body is sent, and refusals, which the client must not see.</summary>
internal sealed class WorkerHeaderTransforms : ITransformProvider
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
        // The worker restores the client's view of the request from one header, so user code sees the same request in every isolation mode.
        context.UseDefaultForwarders = false;
        context.AddOriginalHost();
        context.AddRequestTransform(TransformRequest);
        context.AddResponseTransform(TransformResponse);
    }

    private static ValueTask TransformRequest(RequestTransformContext context)
    {
        var attempt = context.HttpContext.Features.Get<WorkerForwardAttempt>()!;
        var request = context.ProxyRequest;
        // Headers of the same name from the client have been removed.
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Token, attempt.Slot.Route.Address.Token);
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Actor, attempt.Slot.Route.ReplicaId);
        request.Headers.TryAddWithoutValidation(WireHeaderNames.PathBase, attempt.PathBase);
        request.Headers.TryAddWithoutValidation(WireHeaderNames.Client, ClientOriginHeader.Of(context.HttpContext));
        if (attempt.BodyLimit is { } limit)
            request.Headers.TryAddWithoutValidation(WireHeaderNames.BodyLimit, limit.ToString(CultureInfo.InvariantCulture));
        if (attempt.Body is { } body)
            request.Headers.ExpectContinue = body.WaitsForContinue ? true : null;
        if (attempt.Body is not null || attempt.IsUpgrade)
            request.Options.Set(WorkerForwardAttempt.OptionsKey, attempt);
        return default;
    }

    private static ValueTask TransformResponse(ResponseTransformContext context)
    {
        if (context.ProxyResponse is { } response
            && response.Headers.NonValidated.TryGetValues(WireHeaderNames.Refused, out var refused)
            && context.HttpContext.Features.Get<WorkerForwardAttempt>() is { } attempt)
        {
            attempt.Refused = refused.ToString();
            context.SuppressResponseBody = true;
        }

        return default;
    }
}
