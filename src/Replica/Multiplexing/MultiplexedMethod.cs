using System.Reflection;
using Serve.Replica.Definitions;

namespace Serve.Replica.Multiplexing;

/// <summary>Definition of a <see cref="MultiplexedAttribute"/> method of a deployment class.</summary>
/// <param name="Method">The method.</param>
/// <param name="Model">Type of the models.</param>
/// <param name="MaxModels">Maximum number of models per replica; -1 is no limit.</param>
internal sealed record MultiplexedMethod(MethodInfo Method, Type Model, int MaxModels)
{
    private const string Shape = "Task<TModel> Load(string modelId, CancellationToken stop) (or ValueTask<TModel>, or TModel; the token is optional)";

    /// <summary>Returns whether a method loads models, and therefore is not callable by users.</summary>
    public static bool IsOne(MethodInfo method) => method.IsDefined(typeof(MultiplexedAttribute), inherit: true);

    /// <summary>Finds the methods of a class; adds their errors.</summary>
    public static IReadOnlyList<MultiplexedMethod> Of(Type type, List<string> errors)
    {
        var methods = ClassMethodFinder.Of(type).Where(IsOne).ToList();
        var found = methods.Select(method => Read(type, method, errors)).OfType<MultiplexedMethod>().ToList();

        foreach (var same in found.GroupBy(method => method.Model).Where(group => group.Count() > 1))
        {
            errors.Add($"{type.FullName}: {string.Join(" and ", same.Select(each => each.Method.Name))} both load {same.Key.Name} ([Multiplexed]), "
                + $"which makes IMultiplexed<{same.Key.Name}> ambiguous.");
        }

        foreach (var name in found.Select(each => each.Method.Name).Distinct().Where(name => DeploymentMethodFinder.Of(type).Any(method => method.Name == name)))
            errors.Add($"{type.FullName}.{name} is [Multiplexed] and has an overload that is not, which makes calls by name ambiguous. Rename one.");
        // If a method is invalid, a parameter whose model has no loader is not a separate error.
        if (found.Count == methods.Count)
            CheckParameters(type, found, errors);
        return found;
    }

    /// <summary>Finds the method that loads the models of an <see cref="IMultiplexed{TModel}"/>; null unless there is exactly one.</summary>
    public static MultiplexedMethod? Find(IReadOnlyList<MultiplexedMethod> methods, Type model)
    {
        if (methods.FirstOrDefault(method => method.Model == model) is { } same)
            return same;
        var fitting = methods.Where(method => model.IsAssignableFrom(method.Model)).ToList();
        return fitting.Count == 1 ? fitting[0] : null;
    }

    /// <summary>Returns the model type of a constructor parameter; null if it is not an <see cref="IMultiplexed{TModel}"/>.</summary>
    public static Type? ModelOf(Type parameter) =>
        parameter.IsGenericType && parameter.GetGenericTypeDefinition() == typeof(IMultiplexed<>) ? parameter.GetGenericArguments()[0] : null;

    private static MultiplexedMethod? Read(Type type, MethodInfo method, List<string> errors)
    {
        var most = method.GetCustomAttribute<MultiplexedAttribute>(inherit: true)!.MaxModelsPerReplica;
        var before = errors.Count;
        if (most is < -1 or 0)
            errors.Add($"{type.FullName}.{method.Name}: MaxModelsPerReplica must be at least 1, or -1 for no limit, but was {most}.");
        if (method.IsStatic || method.IsGenericMethod || !TakesId(method) || ModelOfResult(method.ReturnType) is not { } model)
            errors.Add($"{type.FullName}.{method.Name} is [Multiplexed] and must be {Shape}.");
        else if (IsAnswering(method))
            errors.Add($"{type.FullName}.{method.Name} is [Multiplexed], and therefore cannot have a route attribute.");
        else if (errors.Count == before)
            return new MultiplexedMethod(method, model, most);
        return null;
    }

    private static void CheckParameters(Type type, List<MultiplexedMethod> methods, List<string> errors)
    {
        foreach (var model in type.GetConstructors().SelectMany(each => each.GetParameters()).Select(each => ModelOf(each.ParameterType)).OfType<Type>())
        {
            if (Find(methods, model) is not null)
                continue;
            errors.Add(methods.Exists(method => model.IsAssignableFrom(method.Model))
                ? $"{type.FullName} has a parameter IMultiplexed<{model.Name}>, but several [Multiplexed] methods load this type; use a more specific type."
                : $"{type.FullName} has a parameter IMultiplexed<{model.Name}>, but no method that loads it: [Multiplexed] Task<{model.Name}> Load(string modelId, CancellationToken stop).");
        }
    }

    private static bool TakesId(MethodInfo method) => method.GetParameters() switch
    {
        [var id] => id.ParameterType == typeof(string),
        [var id, var stop] => id.ParameterType == typeof(string) && stop.ParameterType == typeof(CancellationToken),
        _ => false,
    };

    private static Type? ModelOfResult(Type result)
    {
        if (result.IsGenericType && (result.GetGenericTypeDefinition() == typeof(Task<>) || result.GetGenericTypeDefinition() == typeof(ValueTask<>)))
            result = result.GetGenericArguments()[0];
        return result == typeof(void) || result == typeof(Task) || result == typeof(ValueTask) || result.IsByRef || result.IsByRefLike || result.IsPointer ? null : result;
    }

    private static bool IsAnswering(MethodInfo method) => method.GetCustomAttributesData().Any(data =>
        data.AttributeType.GetInterfaces().Any(contract => contract.Name is "IRouteTemplateProvider" or "IActionHttpMethodProvider"));
}
