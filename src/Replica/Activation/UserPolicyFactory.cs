using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Replica.Loading;

namespace Serve.Replica.Activation;

/// <summary>Creates policy objects from classes of a user's package.</summary>
public static class UserPolicyFactory
{
    /// <summary>Creates an object.</summary>
    /// <param name="code">The loaded package.</param>
    /// <param name="typeName">Full name of the class.</param>
    /// <param name="arguments">Constructor arguments by parameter name; null for none.</param>
    /// <exception cref="DefinitionException">The class does not exist, or an argument is missing or of the wrong type.</exception>
    public static object Create(UserAssemblyLease code, string typeName, JsonObject? arguments)
    {
        ArgumentNullException.ThrowIfNull(code);
        if (code.Assembly.GetType(typeName) is not { IsAbstract: false } type || type.GetConstructors() is not [var constructor])
            throw new DefinitionException($"Policy class {typeName} must be a class of the package with one public constructor.");
        var values = constructor.GetParameters().Select(parameter => Read(typeName, parameter, arguments)).ToArray();
        return constructor.Invoke(BindingFlags.DoNotWrapExceptions, binder: null, values, culture: null);
    }

    private static object? Read(string typeName, ParameterInfo parameter, JsonObject? arguments)
    {
        if (!UserJsonReader.TryFind(arguments, parameter.Name!, out var json))
        {
            return parameter.HasDefaultValue
                ? parameter.DefaultValue
                : throw new DefinitionException($"Constructor parameter '{parameter.Name}' of policy {typeName} has no value in policy_kwargs.");
        }

        try
        {
            return UserJsonReader.Read(json, parameter.ParameterType);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new DefinitionException($"policy_kwargs.{parameter.Name} must be a {parameter.ParameterType.Name} for policy {typeName}, but was {json?.ToJsonString() ?? "null"}: {error.Message}");
        }
    }
}
