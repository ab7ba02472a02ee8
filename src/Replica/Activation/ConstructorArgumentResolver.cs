using System.Reflection;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Serve.Replica.Instances;
using Serve.Replicas;

namespace Serve.Replica.Activation;

/// <summary>
/// Resolves the arguments of a deployment's constructor: a handle, the <see cref="InjectedModelSettings"/> of a model in place of the model, a value of the application's
/// <c>args</c>, a service, or the parameter's default, in this order. Reports all unresolved parameters at once.
/// </summary>
internal sealed class ConstructorArgumentResolver(ReplicaStartRequest start, ReplicaContext replica, IServiceProvider services, IServiceProvider process)
{
    private readonly List<string> _errors = [];

    /// <exception cref="DefinitionException">Parameters have no value, or one that cannot be read.</exception>
    public object?[] For(ConstructorInfo constructor)
    {
        var values = constructor.GetParameters().Select(parameter => Find(constructor.DeclaringType!, parameter)).ToArray();
        return _errors.Count == 0 ? values : throw new DefinitionException(_errors);
    }

    private object? Find(Type type, ParameterInfo parameter)
    {
        if (parameter.ParameterType == typeof(DeploymentHandle))
            return UntypedHandle(type, parameter);
        if (InjectedModelSettings.IsModel(parameter) && Model(parameter) is { IsSettled: true } model)
            return model.Settings;
        if (UserJsonReader.TryFind(start.Args, parameter.Name!, out _))
            return FromArgs(type, parameter);

        // From the process: a service of the replica would be disposed with the replica.
        if (parameter.ParameterType == typeof(Cluster) && process.GetService<Cluster>() is { } cluster)
            return cluster;
        if (parameter.GetCustomAttribute<FromKeyedServicesAttribute>() is { } keyed)
            return services.GetRequiredKeyedService(parameter.ParameterType, keyed.Key);
        if (parameter.ParameterType == typeof(IServiceProvider))
            return services;
        if (services.GetRequiredService<IServiceProviderIsService>().IsService(parameter.ParameterType))
            return services.GetRequiredService(parameter.ParameterType);
        if (parameter.HasDefaultValue)
            return DefaultOf(parameter);
        _errors.Add(InjectedModelSettings.IsModel(parameter) ? NoModel(type, parameter) : $"Constructor parameter '{parameter.Name}' ({parameter.ParameterType.Name}) of {type.Name} has no value: it is neither in args nor a registered service. "
            + $"Pass it in args, register it in static void ConfigureServices(IServiceCollection), or give it a default.");
        return null;
    }

    // Invalid settings count as settings: their errors are reported.
    private (bool IsSettled, InjectedModelSettings? Settings) Model(ParameterInfo parameter)
    {
        var before = _errors.Count;
        var settings = InjectedModelSettings.Read(parameter, start.Args, start.Spec.UserConfig, _errors);
        return (settings is not null || _errors.Count > before, settings);
    }

    private static string NoModel(Type type, ParameterInfo parameter)
    {
        var keys = InjectedModelSettings.KeysOf(parameter);
        return $"Constructor parameter '{parameter.Name}' of {type.Name} is a model, but no model is configured. "
            + $"Set {keys[0]}: FILE.onnx, or {keys[1]}: {{ path: FILE.onnx, … }}, in the application's args or the deployment's user_config.";
    }

    private object? FromArgs(Type type, ParameterInfo parameter)
    {
        UserJsonReader.TryFind(start.Args, parameter.Name!, out var json);
        try
        {
            return UserJsonReader.Read(json, parameter.ParameterType);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException or InvalidOperationException)
        {
            _errors.Add($"args.{parameter.Name} must be a {parameter.ParameterType.Name} for the constructor of {type.Name}, "
                + $"but was {json?.ToJsonString() ?? "null"}: {error.Message}");
            return null;
        }
    }

    private DeploymentHandle? UntypedHandle(Type type, ParameterInfo parameter)
    {
        var deployment = start.DeploymentsByType.Values.FirstOrDefault(name => name.Equals(parameter.Name, StringComparison.OrdinalIgnoreCase));
        if (deployment is not null)
            return new DeploymentHandle(HandleTargetFactory.Of(process, deployment, replica.DeploymentId.Application), deployment);
        _errors.Add($"Constructor parameter '{parameter.Name}' of {type.Name} is a handle, but application {replica.DeploymentId.Application} has no deployment of that name. "
            + $"Its deployments are {string.Join(", ", start.DeploymentsByType.Values)}.");
        return null;
    }

    // Reflection returns null for `default` of a struct, which constructor invocation rejects.
    private static object? DefaultOf(ParameterInfo parameter) => parameter.DefaultValue
        ?? (parameter.ParameterType.IsValueType && Nullable.GetUnderlyingType(parameter.ParameterType) is null
            ? Activator.CreateInstance(parameter.ParameterType)
            : null);
}
