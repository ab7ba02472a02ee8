using System.Reflection;
using Serve.Runtime;

namespace Serve.Replica.Multiplexing;

/// <summary>Calls a <see cref="MultiplexedAttribute"/> method of the replica's object, and disposes its models, each in a turn.</summary>
internal sealed class MultiplexedModelLoader(MultiplexedMethod method, ActorTurnScheduler turns)
{
    private static readonly MethodInfo TaskResult = typeof(MultiplexedModelLoader).GetMethod(nameof(OfTaskAsync), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly MethodInfo ValueTaskResult = typeof(MultiplexedModelLoader).GetMethod(nameof(OfValueTaskAsync), BindingFlags.NonPublic | BindingFlags.Static)!;

    private readonly Func<object, ValueTask<object?>> _result = ResultOf(method.Method.ReturnType);
    private readonly bool _blocking = method.Method.IsDefined(typeof(BlockingAttribute), inherit: true);
    private readonly bool _takesToken = method.Method.GetParameters().Length == 2;
    private object? _target;

    /// <summary>Sets the object whose method loads models.</summary>
    public void Bind(object instance) => Volatile.Write(ref _target, instance);

    public ValueTask<object> LoadAsync(string id, CancellationToken cancellationToken) =>
        turns.RunAsync((this, id, cancellationToken), static call => call.Item1.InvokeAsync(call.id, call.cancellationToken), _blocking);

    public ValueTask UnloadAsync(object model) => turns.RunAsync(model, static model => DisposeAsync(model), _blocking);

    private async ValueTask<object> InvokeAsync(string id, CancellationToken cancellationToken)
    {
        var instance = Volatile.Read(ref _target)
            ?? throw new InvalidOperationException($"{method.Method.Name} cannot load a model before the constructor of {method.Method.DeclaringType!.Name} has returned.");
        cancellationToken.ThrowIfCancellationRequested();
        object?[] arguments = _takesToken ? [id, cancellationToken] : [id];
        var returned = method.Method.Invoke(instance, BindingFlags.DoNotWrapExceptions, binder: null, arguments, culture: null);
        return (returned is null ? null : await _result(returned))
            ?? throw new InvalidOperationException($"{method.Method.DeclaringType!.Name}.{method.Method.Name} returned null for model '{id}'.");
    }

    private static async ValueTask DisposeAsync(object model)
    {
        if (model is IAsyncDisposable asynchronous)
            await asynchronous.DisposeAsync();
        else
            (model as IDisposable)?.Dispose();
    }

    private static Func<object, ValueTask<object?>> ResultOf(Type returned)
    {
        var generic = returned.IsGenericType ? returned.GetGenericTypeDefinition() : null;
        var read = generic == typeof(Task<>) ? TaskResult : generic == typeof(ValueTask<>) ? ValueTaskResult : null;
        return read is null
            ? static value => new(value)
            : read.MakeGenericMethod(returned.GetGenericArguments()).CreateDelegate<Func<object, ValueTask<object?>>>();
    }

    private static async ValueTask<object?> OfTaskAsync<T>(object task) => await (Task<T>)task;

    private static async ValueTask<object?> OfValueTaskAsync<T>(object task) => await (ValueTask<T>)task;
}
