using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using Serve.Replica.Multiplexing;

namespace Serve.Replica.Definitions;

/// <summary>Finds the methods of a deployment class that users call, by name or over HTTP.</summary>
internal static class DeploymentMethodFinder
{
    /// <summary>Name of the method that serves the route prefix itself.</summary>
    public const string Call = "Call";

    /// <summary>Returns the callable public methods of a class, without hooks, accessors, [Multiplexed] methods and compiler-generated methods.</summary>
    public static IEnumerable<MethodInfo> Of(Type type) => type
        .GetMethods(BindingFlags.Public | BindingFlags.Instance)
        .Where(method => method.DeclaringType != typeof(object) && method.GetBaseDefinition().DeclaringType != typeof(object)
            && !method.IsSpecialName && !method.IsDefined(typeof(CompilerGeneratedAttribute)) && !DeploymentHookMethods.IsHook(method) && !MultiplexedMethod.IsOne(method));

    /// <summary>Adds an error for each method that cannot be called or bound.</summary>
    public static void Check(Type type, List<string> errors)
    {
        var methods = Of(type).ToList();
        foreach (var overloads in methods.GroupBy(method => method.Name, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            errors.Add($"{type.FullName}.{overloads.Key} is overloaded, and therefore cannot be called by name. "
                + "Rename one, or make it internal.");
        }

        foreach (var method in methods.Where(method => method.IsGenericMethod
            || method.GetParameters().Any(parameter => parameter.ParameterType.IsByRef || parameter.ParameterType.IsByRefLike)))
        {
            errors.Add($"{type.FullName}.{method.Name} is generic or has ref, out or span parameters, and therefore cannot be called by name. Make it internal.");
        }

        CheckRoutes(type, methods, errors);
    }

    private static void CheckRoutes(Type type, List<MethodInfo> methods, List<string> errors)
    {
        if (type.IsDefined(typeof(IRouteTemplateProvider), inherit: true))
            errors.Add($"{type.FullName} has a route attribute on the class, which has no effect. Set the route prefix of the application, and the routes of methods.");
        var routed = methods.Where(method => method.IsDefined(typeof(IRouteTemplateProvider), true) || method.IsDefined(typeof(IActionHttpMethodProvider), true)).ToList();
        if (typeof(IIngress).IsAssignableFrom(type))
        {
            foreach (var method in methods.Where(method => method.Name == Call || routed.Contains(method)))
            {
                errors.Add($"{type.FullName} maps its own endpoints (IIngress), so {method.Name} would not be reachable over HTTP. "
                    + "Map it in Map, or remove IIngress.");
            }

            return;
        }

        var routes = routed.SelectMany(method => Templates(method).Select(found => (Method: method, found.Verb, found.Template))).ToList();
        foreach (var same in routes.GroupBy(route => (route.Verb, Template: route.Template.Trim('/').ToUpperInvariant())).Where(group => group.Count() > 1))
        {
            errors.Add($"{type.FullName}: {string.Join(" and ", same.Select(route => route.Method.Name).Distinct())} have the same route "
                + $"[{same.Key.Verb}(\"{same.First().Template}\")].");
        }

        foreach (var (method, _, template) in routes)
        {
            try
            {
                RoutePatternFactory.Parse(template);
            }
            catch (RoutePatternException error)
            {
                errors.Add($"{type.FullName}.{method.Name}: the route '{template}' is malformed: {error.Message}");
            }
        }
    }

    // Read as metadata: instantiating an attribute could run a constructor of the user.
    private static IEnumerable<(string Verb, string Template)> Templates(MethodInfo method) => method.GetCustomAttributesData()
        .Where(data => typeof(HttpMethodAttribute).IsAssignableFrom(data.AttributeType) || data.AttributeType == typeof(RouteAttribute))
        .Select(data => (
            data.AttributeType.Name.Replace("Attribute", "", StringComparison.Ordinal),
            data.ConstructorArguments is [{ Value: string template }, ..] ? template : ""));
}
