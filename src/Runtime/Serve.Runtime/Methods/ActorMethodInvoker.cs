using System.Collections.Immutable;
using System.Linq.Expressions;
using System.Reflection;

namespace Serve.Runtime.Methods;

/// <summary>
/// Invokes a public method of an actor class or a remote function by name: by reflection at first, which starts immediately, and by a compiled delegate after
/// several calls.
/// </summary>
public sealed class ActorMethodInvoker
{
    /// <summary>Number of calls after which compilation pays off.</summary>
    private const int FewCalls = 8;

    private readonly Lazy<Func<object, object?[], CancellationToken, object?>> _invoke;
    private readonly Func<object?, IAsyncCodeOwner?, ValueTask<object?>> _unwrap;
    private readonly MethodInfo _method;
    private int _calls;

    private readonly object? _facade;

    public ActorMethodInvoker(Type owner, MethodInfo method)
        : this(owner.Name, method)
    {
    }

    public ActorMethodInvoker(string owner, QueuedActorMethod queued)
        : this(owner, queued.Method)
    {
        _facade = queued.Facade;
        Taker = queued.QueueTarget;
        Traits |= ActorMethodTraits.Queued;
    }

    private ActorMethodInvoker(string owner, MethodInfo method)
    {
        _method = method;
        Name = method.Name;
        FullName = $"{owner}.{method.Name}";
        var all = method.GetParameters();
        Parameters = [.. all.Where(parameter => !IsSupplied(parameter))];
        Required = Parameters.Count(parameter => !parameter.IsOptional);
        Traits = (method.IsDefined(typeof(BlockingAttribute), inherit: true) ? ActorMethodTraits.Blocking : ActorMethodTraits.None)
            | (all.Any(parameter => parameter.ParameterType == typeof(CancellationToken)) ? ActorMethodTraits.TakesToken : ActorMethodTraits.None);
        (_unwrap, ResultType) = MethodResultShape.Describe(method.ReturnType);
        Items = MethodResultShape.GetItemReader(ResultType);
        if (ResultType != method.ReturnType || Items is not null)
            Traits |= ActorMethodTraits.Async;
        Group = method.GetCustomAttribute<ConcurrencyGroupAttribute>(inherit: true)?.Name;
        _invoke = new(() => Compile(method));
    }

    public string Name { get; }

    public string FullName { get; }

    /// <summary>Parameters without cancellation tokens and the cluster, which the runtime supplies.</summary>
    public ImmutableArray<ParameterInfo> Parameters { get; }

    public int Required { get; }

    public ActorMethodTraits Traits { get; }

    /// <summary>Type of the awaited result; <see cref="void"/> if the method returns nothing.</summary>
    public Type ResultType { get; }

    /// <summary>Concurrency group; null for the actor's default.</summary>
    public string? Group { get; }

    /// <summary>Object that receives compiled calls in place of the actor; null for methods that are not queued.</summary>
    public object? Taker { get; }

    public bool ReturnsNothing => ResultType == typeof(void);

    /// <summary>Reads the result as a stream; null if the method does not stream.</summary>
    public Func<object, IAsyncEnumerable<object?>>? Items { get; }

    public string Signature => $"({string.Join(", ", Parameters.Select(parameter =>
        $"{CSharpTypeNames.Format(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? "?" : "")}"))})";

    /// <summary>Runs user code; its exceptions are not wrapped. A remote function ignores the target.</summary>
    /// <param name="target">Instance to invoke the method on.</param>
    /// <param name="arguments">Arguments that match the parameters.</param>
    /// <param name="cancellationToken">Token for the method's CancellationToken parameters.</param>
    /// <param name="owner">Notified if the method continues asynchronously.</param>
    public ValueTask<object?> InvokeAsync(object? target, object?[] arguments, CancellationToken cancellationToken, IAsyncCodeOwner? owner = null) => _unwrap(
        _invoke.IsValueCreated || Interlocked.Increment(ref _calls) > FewCalls
            ? _invoke.Value((_facade ?? target)!, arguments, cancellationToken)
            : Reflect(_facade ?? target, arguments, cancellationToken),
        owner);

    private object? Reflect(object? target, object?[] arguments, CancellationToken cancellationToken)
    {
        var next = 0;
        var all = _method.GetParameters();
        var values = new object?[all.Length];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = all[i].ParameterType == typeof(CancellationToken) ? cancellationToken
                : all[i].ParameterType == typeof(Cluster) ? Cluster.Current
                : arguments[next++];
        }

        return _method.Invoke(TargetOf(_method) ?? target, BindingFlags.DoNotWrapExceptions, null, values, null);
    }

    private static bool IsSupplied(ParameterInfo parameter) => parameter.ParameterType == typeof(CancellationToken) || parameter.ParameterType == typeof(Cluster);

    private static Func<object, object?[], CancellationToken, object?> Compile(MethodInfo method)
    {
        var target = Expression.Parameter(typeof(object), "target");
        var arguments = Expression.Parameter(typeof(object?[]), "arguments");
        var token = Expression.Parameter(typeof(CancellationToken), "token");
        var next = 0;
        var values = method.GetParameters().Select(parameter =>
            parameter.ParameterType == typeof(CancellationToken) ? (Expression)token
            : parameter.ParameterType == typeof(Cluster) ? Expression.Property(null, typeof(Cluster), nameof(Cluster.Current))
            : Expression.Convert(Expression.ArrayIndex(arguments, Expression.Constant(next++)), parameter.ParameterType));
        var instance = method.IsStatic ? null
            : TargetOf(method) is { } only ? Expression.Constant(only)
            : (Expression)Expression.Convert(target, method.DeclaringType!);
        var call = Expression.Call(instance, method, [.. values]);
        Expression body = method.ReturnType == typeof(void)
            ? Expression.Block(call, Expression.Constant(null))
            : Expression.Convert(call, typeof(object));
        return Expression.Lambda<Func<object, object?[], CancellationToken, object?>>(body, target, arguments, token).Compile();
    }

    // A non-capturing lambda is an instance method of a compiler-generated singleton without fields.
    private static object? TargetOf(MethodInfo method) => method.IsStatic ? null : CompilerClosureTypes.FindSingleton(method.DeclaringType!);
}
