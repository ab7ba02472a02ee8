using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Replica.Activation;
using Serve.Replica.Definitions;

namespace Serve.Replica.Instances;

/// <summary>Invokes the hooks of a deployment object.</summary>
internal sealed class UserHookInvoker(object target, DeploymentHookMethods hooks)
{
    public bool TakesConfig => hooks.Reconfigure is not null;

    /// <summary>Runs the health check of the object, if it has one.</summary>
    public ValueTask CheckHealthAsync(CancellationToken cancellationToken) => hooks.CheckHealth is { } method
        ? InvokeAsync(method, method.GetParameters().Length == 0 ? [] : [cancellationToken])
        : ValueTask.CompletedTask;

    /// <summary>Passes a <c>user_config</c> to the object.</summary>
    /// <param name="config">Part of the configuration for the class.</param>
    /// <param name="platformKeys">Keys of the platform, for error messages.</param>
    /// <param name="cancellationToken">Passed to the hook.</param>
    /// <exception cref="BadInputException">The configuration cannot be read as the parameter type of the hook.</exception>
    public ValueTask ReconfigureAsync(JsonObject config, IEnumerable<string> platformKeys, CancellationToken cancellationToken)
    {
        var method = hooks.Reconfigure!;
        var parameters = method.GetParameters();
        object? value;
        try
        {
            CheckKeys(config, parameters[0].ParameterType, platformKeys);
            value = UserJsonReader.Read(config, parameters[0].ParameterType, strict: true);
        }
        catch (Exception error) when (error is JsonException or NotSupportedException or InvalidOperationException)
        {
            throw new BadInputException(
                $"user_config cannot be read as {parameters[0].ParameterType.Name}, the parameter type of {target.GetType().Name}.Reconfigure: {error.Message}", error);
        }

        return InvokeAsync(method, parameters.Length == 1 ? [value] : [value, cancellationToken]);
    }

    /// <summary>The hooks of the class.</summary>
    public DeploymentHookMethods Methods => hooks;

    /// <summary>Returns the statistics that a hook of the object reports.</summary>
    public async ValueTask<object?> ReportStatsAsync(MethodInfo hook)
    {
        var returned = hook.Invoke(target, BindingFlags.DoNotWrapExceptions, binder: null, [], culture: null);
        var type = hook.ReturnType;
        if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueTask<>))
            returned = type.GetMethod(nameof(ValueTask<>.AsTask))!.Invoke(returned, null);
        if (returned is not Task running)
            return returned;
        await running;
        return running.GetType().GetProperty(nameof(Task<>.Result))!.GetValue(running);
    }

    public async ValueTask DisposeAsync()
    {
        if (target is IAsyncDisposable asynchronous)
            await asynchronous.DisposeAsync();
        else
            (target as IDisposable)?.Dispose();
    }

    private static void CheckKeys(JsonObject config, Type type, IEnumerable<string> platformKeys)
    {
        if (UserJsonReader.KeysOf(type) is not { } own)
            return;
        string[] known = [.. own, .. platformKeys];
        var wrong = config.Select(static pair => pair.Key).Where(written => !Array.Exists(known, key => UserJsonReader.Same(key, written)))
            .Select(written => UserJsonReader.NoKey("user_config", written, known)).ToList();
        if (wrong.Count > 0)
            throw new BadInputException(string.Join(Environment.NewLine, wrong));
    }

    private ValueTask InvokeAsync(MethodInfo method, object?[] arguments) =>
        method.Invoke(target, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null) switch
        {
            Task task => new ValueTask(task),
            ValueTask task => task,
            _ => ValueTask.CompletedTask,
        };
}
