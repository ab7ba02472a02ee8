using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Cors.Infrastructure;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Metadata;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApiExplorer;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Serve.Replica.Http;

/// <summary>
/// Checks that each endpoint's metadata has its effect: that the middleware which serves it is in the pipeline, and that the policies and schemes it names exist. Otherwise an endpoint
/// would be open, or fail with its first request. Holds no state.
/// </summary>
/// <param name="services">Services of the replica.</param>
/// <param name="isInPipeline">Whether the pipeline has a middleware.</param>
/// <param name="isRegistered">Whether the services of a middleware are registered.</param>
/// <param name="isConfigured">Whether the class adds its middleware itself.</param>
internal sealed class EndpointMetadataValidator(
    IServiceProvider services, Func<MetadataMiddleware, bool> isInPipeline, Func<MetadataMiddleware, bool> isRegistered, bool isConfigured)
{
    /// <summary>Checks the endpoints.</summary>
    /// <param name="endpoints">The endpoints, with their display names.</param>
    /// <exception cref="DefinitionException">Metadata has no effect; names the endpoints and the missing parts.</exception>
    public async Task ValidateAsync(IEnumerable<(Endpoint Endpoint, string Name)> endpoints)
    {
        List<string> errors = [];
        foreach (var (endpoint, name) in endpoints)
        {
            var metadata = endpoint.Metadata;
            var missing = MetadataMiddleware.All.Where(each => each.IsRequiredBy(metadata) && !isInPipeline(each)).ToList();
            errors.AddRange(missing.Select(each => $"{name} requires {each.Feature}, which no middleware of the deployment provides. {Remedy(each, metadata)}"));
            errors.AddRange(metadata.OfType<IFilterMetadata>().Where(IsControllerFilter).Select(filter =>
                $"{name} has [{AttributeName(filter)}], a filter of MVC controllers, which has no effect on other endpoints. Remove it, and use an endpoint filter or middleware instead."));
            if (missing.Count == 0)
                errors.AddRange((await FindUnknownNamesAsync(metadata)).Select(reason => $"{name}: {reason}"));
        }

        if (errors.Count > 0)
            throw new DefinitionException(errors);
    }

    private string Remedy(MetadataMiddleware middleware, EndpointMetadataCollection metadata)
    {
        List<string> steps = [];
        if (!isRegistered(middleware))
            steps.Add($"call {middleware.Registration} in ConfigureServices");
        if (isConfigured)
            steps.Add($"call {middleware.Addition} in Configure");
        if (metadata.GetMetadata<IAntiforgeryMetadata>() is not null && middleware.IsRequiredBy(metadata) && middleware.ServiceNamespace == typeof(IAntiforgery).Namespace)
            steps.Add("or call DisableAntiforgery() on the endpoint if its clients send no cookies");
        var text = string.Join(steps is [_, var last] && last.StartsWith("or ", StringComparison.Ordinal) ? ", " : " and ", steps);
        return char.ToUpperInvariant(text[0]) + text[1..] + ".";
    }

    private async Task<List<string>> FindUnknownNamesAsync(EndpointMetadataCollection metadata)
    {
        List<string> reasons = [];
        if (metadata.GetMetadata<ICorsMetadata>() is IEnableCorsAttribute cors && services.GetService<ICorsPolicyProvider>() is DefaultCorsPolicyProvider)
        {
            var options = services.GetRequiredService<IOptions<CorsOptions>>().Value;
            if (options.GetPolicy(cors.PolicyName ?? options.DefaultPolicyName) is null)
                reasons.Add(cors.PolicyName is { } policy ? $"CORS policy '{policy}' is not registered." : "no default CORS policy is registered.");
        }

        if (metadata.GetMetadata<RequestTimeoutAttribute>()?.PolicyName is { } timeout
            && !services.GetRequiredService<IOptions<RequestTimeoutOptions>>().Value.Policies.ContainsKey(timeout))
        {
            reasons.Add($"request timeout policy '{timeout}' is not registered.");
        }

        if (metadata.GetMetadata<DisableRateLimitingAttribute>() is null
            && metadata.GetMetadata<EnableRateLimitingAttribute>()?.PolicyName is { } rate && !HasRateLimitingPolicy(rate))
        {
            reasons.Add($"rate limiting policy '{rate}' is not registered.");
        }

        if (metadata.GetMetadata<IAllowAnonymous>() is null)
            reasons.AddRange(await FindUnknownAuthorizationAsync(metadata));
        return reasons;
    }

    // The registered names are not public, but a name cannot be registered twice. On options of its own, so that those of the middleware stay as they are.
    private bool HasRateLimitingPolicy(string name)
    {
        try
        {
            services.GetRequiredService<IOptionsFactory<RateLimiterOptions>>().Create(Options.DefaultName)
                .AddPolicy(name, static _ => RateLimitPartition.GetNoLimiter(""));
            return false;
        }
        catch (ArgumentException)
        {
            return true;
        }
    }

    private async Task<List<string>> FindUnknownAuthorizationAsync(EndpointMetadataCollection metadata)
    {
        var (data, policies) = (metadata.GetOrderedMetadata<IAuthorizeData>(), metadata.GetOrderedMetadata<AuthorizationPolicy>());
        if (data.Count == 0 && policies.Count == 0)
            return [];
        AuthorizationPolicy? policy;
        try
        {
            policy = await AuthorizationPolicy.CombineAsync(services.GetRequiredService<IAuthorizationPolicyProvider>(), data, policies);
        }
        catch (InvalidOperationException unknown)
        {
            return [unknown.Message];
        }

        var schemes = services.GetRequiredService<IAuthenticationSchemeProvider>();
        if (policy is not { AuthenticationSchemes: { Count: > 0 } named })
        {
            return await schemes.GetDefaultChallengeSchemeAsync() is not null
                ? []
                : ["authorization needs an authentication scheme. Add one after AddAuthentication, or name the default one in its call, if there are several."];
        }

        List<string> reasons = [];
        foreach (var scheme in named)
        {
            if (await schemes.GetSchemeAsync(scheme) is null)
                reasons.Add($"authentication scheme '{scheme}' is not registered.");
        }

        return reasons;
    }

    // Limits of sizes and content types are enforced by routing and binding; descriptions of responses have no effect by themselves.
    private static bool IsControllerFilter(IFilterMetadata filter) =>
        filter is not (IRequestSizeLimitMetadata or IFormOptionsMetadata or IAcceptsMetadata or IApiResponseMetadataProvider or IgnoreAntiforgeryTokenAttribute);

    private static string AttributeName(IFilterMetadata filter)
    {
        var name = filter.GetType().Name;
        return name.EndsWith(nameof(Attribute), StringComparison.Ordinal) ? name[..^nameof(Attribute).Length] : name;
    }
}
