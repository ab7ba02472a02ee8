using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.DependencyInjection;

namespace Serve.Replica.Definitions;

/// <summary>Methods of a deployment class that the platform calls, by interface or by name. They are neither callable by name nor bound to HTTP.</summary>
/// <param name="CheckHealth">Checks the health of the replica.</param>
/// <param name="Reconfigure">Receives the <c>user_config</c>.</param>
/// <param name="ConfigureServices">Static: registers services for the constructor.</param>
/// <param name="ReportRoutingStats">Returns statistics for the routing policy.</param>
/// <param name="ReportAutoscalingStats">Returns metrics by name for autoscaling.</param>
internal sealed record DeploymentHookMethods(
    MethodInfo? CheckHealth, MethodInfo? Reconfigure, MethodInfo? ConfigureServices, MethodInfo? ReportRoutingStats, MethodInfo? ReportAutoscalingStats)
{
    private const string AutoscalingStats = "ReportAutoscalingStats";
    private const string RoutingStats = "ReportRoutingStats";

    private static readonly string[] Names =
        [nameof(ISelfCheck.CheckHealth), nameof(IReconfigurable<>.Reconfigure), nameof(IDisposable.Dispose), nameof(IAsyncDisposable.DisposeAsync), RoutingStats, AutoscalingStats];

    /// <summary>Returns whether a public method is a hook, and therefore not callable by users.</summary>
    public static bool IsHook(MethodInfo method) =>
        Names.Contains(method.Name)
        || (method.Name is nameof(IIngress.Map) or nameof(IIngress.Configure) && typeof(IIngress).IsAssignableFrom(method.DeclaringType));

    /// <summary>Finds the hooks of a class; adds an error for each invalid one.</summary>
    public static DeploymentHookMethods Of(Type type, List<string> errors) => new(
        One(type, nameof(ISelfCheck.CheckHealth), typeof(ISelfCheck), IsCheckHealth,
            "ValueTask CheckHealth(CancellationToken) (or Task, or void; the token is optional)", errors),
        One(type, nameof(IReconfigurable<>.Reconfigure), typeof(IReconfigurable<>), IsReconfigure,
            "void Reconfigure(TConfig config) (or Task, or ValueTask)", errors),
        Static(type, errors),
        One(type, RoutingStats, null, IsReportStats, "T ReportRoutingStats() (or Task<T>, or ValueTask<T>)", errors),
        One(type, AutoscalingStats, null, IsReportMetrics, "Dictionary<string, double> ReportAutoscalingStats() (or a Task or ValueTask of it)", errors));

    private static MethodInfo? One(Type type, string name, Type? contract, Func<MethodInfo, bool> fits, string shape, List<string> errors)
    {
        // A public method of this name implements the interface too; explicit implementations are found through the interface.
        var found = type.GetMethods().Where(method => method.Name == name && method.DeclaringType != typeof(object)).ToList();
        if (found.Count == 0)
        {
            found = [.. type.GetInterfaces()
                .Where(implemented => (implemented.IsGenericType ? implemented.GetGenericTypeDefinition() : implemented) == contract)
                .Select(implemented => implemented.GetMethod(name)!)];
        }

        if (found.Count > 1)
            errors.Add($"{type.FullName} has {found.Count} methods {name}; the hook must be a single method, {shape}.");
        else if (found.Count == 1 && !fits(found[0]))
            errors.Add($"{type.FullName}.{name} is a hook and must be {shape}.");
        else
            return found.SingleOrDefault();
        return null;
    }

    private static MethodInfo? Static(Type type, List<string> errors)
    {
        const string Name = "ConfigureServices";
        var found = type.GetMethods(BindingFlags.Public | BindingFlags.Static).Where(method => method.Name == Name).ToList();
        if (found.Count == 0)
            return null;
        if (found is [{ IsGenericMethod: false } only] && only.ReturnType == typeof(void)
            && only.GetParameters() is [{ ParameterType: var taken }] && taken == typeof(IServiceCollection))
        {
            return only;
        }

        errors.Add($"{type.FullName}.{Name} is a hook and must be one method, static void {Name}(IServiceCollection services).");
        return null;
    }

    private static bool IsCheckHealth(MethodInfo method) =>
        !method.IsStatic && !method.IsGenericMethod && ReturnsNothing(method) && method.GetParameters() switch
        {
            [] => true,
            [var stop] => stop.ParameterType == typeof(CancellationToken),
            _ => false,
        };

    private static bool IsReconfigure(MethodInfo method) =>
        !method.IsStatic && !method.IsGenericMethod && ReturnsNothing(method) && method.GetParameters() switch
        {
            [var config] => config.ParameterType != typeof(CancellationToken) && !config.ParameterType.IsByRef,
            [var config, var stop] => config.ParameterType != typeof(CancellationToken) && stop.ParameterType == typeof(CancellationToken),
            _ => false,
        };

    private static bool IsReportStats(MethodInfo method) =>
        !method.IsStatic && !method.IsGenericMethod && method.GetParameters().Length == 0
        && method.ReturnType != typeof(void) && method.ReturnType != typeof(Task) && method.ReturnType != typeof(ValueTask);

    private static bool IsReportMetrics(MethodInfo method)
    {
        var type = method.ReturnType;
        if (type.IsGenericType && (type.GetGenericTypeDefinition() == typeof(Task<>) || type.GetGenericTypeDefinition() == typeof(ValueTask<>)))
            type = type.GetGenericArguments()[0];
        return IsReportStats(method) && typeof(IEnumerable<KeyValuePair<string, double>>).IsAssignableFrom(type);
    }

    private static bool ReturnsNothing(MethodInfo method) =>
        method.ReturnType == typeof(Task) || method.ReturnType == typeof(ValueTask)
        || (method.ReturnType == typeof(void) && !method.IsDefined(typeof(AsyncStateMachineAttribute)));
}
