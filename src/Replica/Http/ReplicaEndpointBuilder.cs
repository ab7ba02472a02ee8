using System.Linq.Expressions;
using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.Routing;
using Microsoft.AspNetCore.Routing;
using Serve.Replica.Batching;
using Serve.Replica.Definitions;

namespace Serve.Replica.Http;

/// <summary>
/// Maps the methods of a deployment as minimal-API endpoints: <c>Call</c> at the route prefix for the methods of <see cref="CallMethods"/>, others by their attributes; or lets the deployment
/// map its own endpoints. ASP.NET Core binds parameters and writes results.
/// </summary>
internal static class ReplicaEndpointBuilder
{
    /// <summary>HTTP methods of <c>Call</c>, and of a route without one. Others have a meaning of their own: OPTIONS is a question about the endpoint, not a call of it.</summary>
    public static readonly HttpMethodMetadata CallMethods = new(
        [HttpMethods.Get, HttpMethods.Head, HttpMethods.Post, HttpMethods.Put, HttpMethods.Patch, HttpMethods.Delete], acceptCorsPreflight: true);

    /// <summary>Returns whether <see cref="CallMethods"/> contains a method.</summary>
    public static bool IsCallMethod(string method) => HttpMethods.IsGet(method) || HttpMethods.IsPost(method) || HttpMethods.IsPut(method)
        || HttpMethods.IsDelete(method) || HttpMethods.IsPatch(method) || HttpMethods.IsHead(method);

    /// <summary>Returns whether an attribute is one of ASP.NET Core, or derives from one.</summary>
    public static bool IsForHttp(object attribute)
    {
        for (var type = attribute.GetType(); type is not null && type != typeof(Attribute); type = type.BaseType)
        {
            if (type.Namespace?.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal) == true)
                return true;
        }

        return false;
    }

    public static void Map(RouteGroupBuilder routes, object target, BatchedMethodSet batches)
    {
        // As with controllers: [Authorize], [EnableCors] and others of the class apply to all its endpoints.
        routes.WithMetadata([.. target.GetType().GetCustomAttributes(inherit: true).Where(IsForHttp)]);
        if (target is IIngress ingress)
        {
            var own = routes.MapGroup("");
            ((IEndpointConventionBuilder)own).Add(RefuseBatched);
            ingress.Map(own);
            return;
        }

        foreach (var method in DeploymentMethodFinder.Of(target.GetType()))
        {
            foreach (var (pattern, verbs) in RoutesOf(method))
            {
                // For a batched method, the item is bound, and its result is the response.
                var batched = batches.Find(method);
                var bound = batched?.Entry ?? method;
                var handler = bound.CreateDelegate(DelegateType(bound), batched?.Facade ?? target);
                var endpoint = verbs.Length == 0 ? routes.Map(pattern, handler) : routes.MapMethods(pattern, verbs, handler);
                // Form posts need no antiforgery token, since there are no cookies.
                endpoint.DisableAntiforgery().WithDisplayName($"{target.GetType().Name}.{method.Name}");
                if (batched is not null)
                    endpoint.WithMetadata(method.GetCustomAttributes(inherit: true));
                // Endpoints with specific methods on the same route take precedence. The methods are metadata, because MapMethods binds no body if GET is among them.
                if (verbs.Length == 0)
                    endpoint.WithMetadata(CallMethods).Add(builder => ((RouteEndpointBuilder)builder).Order = 1);
            }
        }
    }

    /// <summary>Returns whether a class explicitly serves HTTP, rather than having a <c>Call</c> that may be for handles only.</summary>
    public static bool AsksForHttp(Type type) => typeof(IIngress).IsAssignableFrom(type)
        || DeploymentMethodFinder.Of(type).Any(method => method.GetCustomAttributes(inherit: true).Any(attribute => attribute is IRouteTemplateProvider or IActionHttpMethodProvider));

    // ASP.NET Core would bind the list of a batched method from one request, without batching.
    private static void RefuseBatched(EndpointBuilder endpoint)
    {
        if (endpoint.Metadata.OfType<MethodInfo>().FirstOrDefault(mapped => mapped.IsDefined(typeof(BatchAttribute), inherit: true)) is not { } method)
            return;
        throw new DefinitionException($"{method.DeclaringType!.Name}.{method.Name} has [Batch] and cannot be mapped to {endpoint.DisplayName} by {nameof(IIngress)}.{nameof(IIngress.Map)}: "
            + "it would receive the list of one request instead of the items of many requests. Add a route attribute to it in a deployment without IIngress, or map a method that calls such a deployment through a handle.");
    }

    /// <summary>Returns the routes of a method; none without an attribute, except for <c>Call</c>.</summary>
    private static List<(string Pattern, string[] Verbs)> RoutesOf(MethodInfo method)
    {
        var attributes = method.GetCustomAttributes(inherit: true);
        var bare = attributes.OfType<IActionHttpMethodProvider>()
            .Where(attribute => attribute is not IRouteTemplateProvider { Template: not null })
            .SelectMany(attribute => attribute.HttpMethods).ToArray();
        List<(string, string[])> routes = [];
        foreach (var route in attributes.OfType<IRouteTemplateProvider>().Where(route => route.Template is not null))
        {
            // [HttpPost, Route("x")] means the same as [HttpPost("x")].
            routes.Add((route.Template!, route is IActionHttpMethodProvider own ? [.. own.HttpMethods] : bare));
        }

        if (routes.Count == 0 && (bare.Length > 0 || method.Name == DeploymentMethodFinder.Call))
            routes.Add(("", bare));
        return routes;
    }

    private static Type DelegateType(MethodInfo method) =>
        Expression.GetDelegateType([.. method.GetParameters().Select(parameter => parameter.ParameterType), method.ReturnType]);
}
