using System.Collections.Immutable;
using System.Linq.Expressions;
using System.Reflection;

namespace Serve.Runtime.Methods;

/// <summary>One public method of an actor's class, compiled to a delegate when first called by name.</summary>
internal sealed class ActorMethod
{
    private readonly Lazy<Func<object, object?[], CancellationToken, object?>> invoke;
    private readonly Func<object?, ValueTask<object?>> unwrap;

    public ActorMethod(Type owner, MethodInfo method)
    {
        Name = method.Name;
        FullName = $"{owner.Name}.{method.Name}";
        Parameters = [.. method.GetParameters().Where(parameter => parameter.ParameterType != typeof(CancellationToken))];
        Required = Parameters.Count(parameter => !parameter.IsOptional);
        Traits = (method.IsDefined(typeof(BlockingAttribute), inherit: true) ? MethodTraits.Blocking : MethodTraits.None)
            | (method.GetParameters().Length > Parameters.Length ? MethodTraits.TakesToken : MethodTraits.None);
        (unwrap, var result) = ResultShape.Of(method.ReturnType);
        ReturnsNothing = result == typeof(void);
        Items = ResultShape.ItemsOf(result);
        invoke = new(() => Compile(method));
    }

    public string Name { get; }

    public string FullName { get; }

    /// <summary>Without cancellation tokens, which are supplied.</summary>
    public ImmutableArray<ParameterInfo> Parameters { get; }

    public int Required { get; }

    public MethodTraits Traits { get; }

    public bool ReturnsNothing { get; }

    /// <summary>Reads the result as a stream; null when the method does not stream.</summary>
    public Func<object, IAsyncEnumerable<object?>>? Items { get; }

    public string Signature => $"({string.Join(", ", Parameters.Select(parameter =>
        $"{TypeNames.Of(parameter.ParameterType)} {parameter.Name}{(parameter.IsOptional ? "?" : "")}"))})";

    /// <summary>Runs user code; what it throws comes out as it is, at once or by the task.</summary>
    public ValueTask<object?> InvokeAsync(object target, object?[] arguments, CancellationToken cancellationToken) =>
        unwrap(invoke.Value(target, arguments, cancellationToken));

    private static Func<object, object?[], CancellationToken, object?> Compile(MethodInfo method)
    {
        var target = Expression.Parameter(typeof(object), "target");
        var arguments = Expression.Parameter(typeof(object?[]), "arguments");
        var token = Expression.Parameter(typeof(CancellationToken), "token");
        var next = 0;
        var values = method.GetParameters().Select(parameter => parameter.ParameterType == typeof(CancellationToken)
            ? (Expression)token
            : Expression.Convert(Expression.ArrayIndex(arguments, Expression.Constant(next++)), parameter.ParameterType));
        var call = Expression.Call(Expression.Convert(target, method.DeclaringType!), method, [.. values]);
        Expression body = method.ReturnType == typeof(void)
            ? Expression.Block(call, Expression.Constant(null))
            : Expression.Convert(call, typeof(object));
        return Expression.Lambda<Func<object, object?[], CancellationToken, object?>>(body, target, arguments, token).Compile();
    }
}
