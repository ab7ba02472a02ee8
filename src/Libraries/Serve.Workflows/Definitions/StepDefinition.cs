using System.ComponentModel;
using Serve.Calls;

namespace Serve.Workflows.Definitions;

/// <summary>A static method that can be a step. The source generator creates one per method with <see cref="StepAttribute"/> or <see cref="RemoteAttribute"/>.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public abstract class StepDefinition
{
    private protected StepDefinition(RemoteFunction function, StepOptions? defaults, Type[] parameterTypes)
    {
        ArgumentNullException.ThrowIfNull(function);
        ArgumentNullException.ThrowIfNull(parameterTypes);
        Function = function;
        Defaults = defaults ?? new();
        ParameterTypes = parameterTypes;
        Name = $"{function.Type.FullName}.{function.Method}";
    }

    /// <summary>Gets the full name, which graphs store.</summary>
    public string Name { get; }

    /// <summary>Gets the remote function.</summary>
    public RemoteFunction Function { get; }

    /// <summary>Gets the options of the attribute.</summary>
    public StepOptions Defaults { get; }

    /// <summary>Gets the types of the parameters, without cancellation token and cluster.</summary>
    public IReadOnlyList<Type> ParameterTypes { get; }

    /// <summary>Gets the result type; <see cref="object"/> for a method without a result.</summary>
    public abstract Type ResultType { get; }

    internal abstract StepCall CreateCall(object?[] arguments, StepOptions options);
}

/// <summary>A static method that can be a step.</summary>
/// <typeparam name="TResult">Its result type; <see cref="object"/> for a method without a result.</typeparam>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class StepDefinition<TResult> : StepDefinition
{
    private readonly Func<object?[], CancellationToken, ValueTask<TResult>> _invoke;

    /// <summary>Describes a method. For generated code.</summary>
    /// <param name="function">The remote function.</param>
    /// <param name="defaults">The options of the attribute; null for none.</param>
    /// <param name="parameterTypes">The types of the parameters, without cancellation token and cluster.</param>
    /// <param name="invoke">Invokes the method.</param>
    public StepDefinition(RemoteFunction function, StepOptions? defaults, Type[] parameterTypes, Func<object?[], CancellationToken, ValueTask<TResult>> invoke)
        : base(function, defaults, parameterTypes)
    {
        ArgumentNullException.ThrowIfNull(invoke);
        _invoke = invoke;
    }

    /// <inheritdoc/>
    public override Type ResultType => typeof(TResult);

    internal override StepCall CreateCall(object?[] arguments, StepOptions options) => new FunctionStepCall<TResult>(this, arguments, options);

    internal ValueTask<TResult> Invoke(object?[] arguments, CancellationToken cancellationToken) => _invoke(arguments, cancellationToken);

    /// <summary>Returns the arguments of an attempt: the step's context is supplied here.</summary>
    internal object?[] Bind(object?[] arguments, StepContext step)
    {
        var bound = (object?[])arguments.Clone();
        for (var i = 0; i < bound.Length; i++)
        {
            if (ParameterTypes[i] == typeof(StepContext))
                bound[i] = step;
        }

        return bound;
    }
}

/// <summary>The body of a step: starts one attempt as a task of the cluster.</summary>
internal abstract class StepCall(string name, StepOptions options, Type resultType)
{
    public string Name => name;

    public StepOptions Options => options;

    public Type ResultType => resultType;

    public abstract Task<object?> Start(Cluster cluster, StepContext step, CancellationToken cancellationToken);
}

/// <summary>A step that calls a method with an attribute; it can run in a worker process.</summary>
internal sealed class FunctionStepCall<TResult>(StepDefinition<TResult> definition, object?[] arguments, StepOptions options)
    : StepCall(options.Name ?? definition.Function.Method, options, typeof(TResult))
{
    public override async Task<object?> Start(Cluster cluster, StepContext step, CancellationToken cancellationToken)
    {
        var call = new StepMethodCall<TResult>(definition, definition.Bind(arguments, step));
        var reference = cluster.Submit(definition.Function, call, Options.ToTaskOptions(step.Step, definition.Function.Defaults));
        using var cancel = cancellationToken.UnsafeRegister(static state => (((Cluster, ObjectRef<TResult>))state!).Item1.Cancel((((Cluster, ObjectRef<TResult>))state!).Item2), (cluster, reference));
        return await cluster.Get(reference, null, CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>A step whose body is a lambda; it runs in this process.</summary>
internal sealed class LambdaStepCall<TResult>(string name, Func<StepContext, CancellationToken, Task<TResult>> body, StepOptions options) : StepCall(name, options, typeof(TResult))
{
    public override async Task<object?> Start(Cluster cluster, StepContext step, CancellationToken cancellationToken)
    {
        var reference = cluster.Run(stop => body(step, stop), Options.ToTaskOptions(step.Step) with { Isolation = Isolation.None });
        using var cancel = cancellationToken.UnsafeRegister(static state => (((Cluster, ObjectRef<TResult>))state!).Item1.Cancel((((Cluster, ObjectRef<TResult>))state!).Item2), (cluster, reference));
        return await cluster.Get(reference, null, CancellationToken.None).ConfigureAwait(false);
    }
}

/// <summary>A call of a step's method with boxed arguments.</summary>
internal sealed class StepMethodCall<TResult>(StepDefinition<TResult> definition, object?[] arguments) : MethodCall<TResult>
{
    public override string Method => definition.Function.Method;

    public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<TResult> result)
    {
        try
        {
            result = definition.Invoke(arguments, cancellationToken);
        }
        catch (Exception thrown)
        {
            result = ValueTask.FromException<TResult>(thrown);
        }

        return true;
    }

    public override object?[] GetArguments() => arguments;
}
