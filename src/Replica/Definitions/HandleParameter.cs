using System.Reflection;

namespace Serve.Replica.Definitions;

/// <summary>A constructor parameter that is a handle to another deployment.</summary>
/// <param name="Name">Name of the parameter; for an untyped handle, the name of the deployment, case-insensitively.</param>
/// <param name="Target">Deployment class of a typed handle; null for an untyped one.</param>
internal sealed record HandleParameter(string Name, Type? Target)
{
    public static bool IsHandle(Type type) =>
        type == typeof(DeploymentHandle) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(DeploymentHandle<>));

    public static HandleParameter Of(ParameterInfo parameter) =>
        new(parameter.Name!, parameter.ParameterType.IsGenericType ? parameter.ParameterType.GetGenericArguments()[0] : null);
}
