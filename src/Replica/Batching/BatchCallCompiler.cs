using System.Linq.Expressions;
using System.Reflection;
using Serve.Replica.Definitions;

namespace Serve.Replica.Batching;

/// <summary>Compiles delegates for batched methods, so that no reflection is needed per call.</summary>
internal static class BatchCallCompiler
{
    private static readonly MethodInfo PartOf = typeof(BatchCallCompiler).GetMethod(nameof(Part), BindingFlags.NonPublic | BindingFlags.Static)!;

    /// <summary>Compiles a delegate that calls the method with the items of a batch.</summary>
    /// <typeparam name="TItem">Item type: a tuple if callers pass several values.</typeparam>
    /// <typeparam name="TReturned">Return type: a value task of the list, or the stream.</typeparam>
    public static Func<TItem[], CancellationToken, TReturned> Compile<TItem, TReturned>(BatchMethodDefinition method, object target)
    {
        var items = Expression.Parameter(typeof(TItem[]), "items");
        var token = Expression.Parameter(typeof(CancellationToken), "token");
        var arguments = method.Method.GetParameters().Select(parameter => parameter.ParameterType == typeof(CancellationToken)
            ? (Expression)token
            : ListOf<TItem>(method, method.Lists.IndexOf(parameter), items));
        Expression call = Expression.Call(Expression.Constant(target, method.Method.DeclaringType!), method.Method, arguments);
        if (call.Type != typeof(TReturned))
            call = Expression.New(typeof(TReturned).GetConstructor([call.Type])!, call);
        return Expression.Lambda<Func<TItem[], CancellationToken, TReturned>>(call, items, token).Compile();
    }

    /// <summary>Compiles a delegate that returns the size of an item; null if every item has size 1.</summary>
    public static Func<TItem, int>? CompileSize<TItem>(BatchMethodDefinition method, object target)
    {
        if (method.SizeOf is not { } sizeOf)
            return null;
        var item = Expression.Parameter(typeof(TItem), "item");
        var values = method.ItemTypes.Select((_, i) => ValueOf(method, i, item));
        return Expression.Lambda<Func<TItem, int>>(
            Expression.Call(sizeOf.IsStatic ? null : Expression.Constant(target, sizeOf.DeclaringType!), sizeOf, values), item).Compile();
    }

    /// <summary>Compiles a delegate that combines the arguments of a caller to an item.</summary>
    /// <param name="method">The method.</param>
    /// <param name="take">Function of the item and a token.</param>
    /// <returns>Function of the caller's arguments and a token.</returns>
    public static Delegate CompileFacade<TItem, TResult>(BatchMethodDefinition method, Func<TItem, CancellationToken, TResult> take)
    {
        if (method.ItemTypes.Length == 1)
            return take;
        var values = method.ItemTypes.Select(type => Expression.Parameter(type)).ToArray();
        var token = Expression.Parameter(typeof(CancellationToken));
        var tuple = Expression.New(typeof(TItem).GetConstructor([.. method.ItemTypes])!, values);
        return Expression.Lambda(Expression.Invoke(Expression.Constant(take), tuple, token), [.. values, token]).Compile();
    }

    private static Expression ListOf<TItem>(BatchMethodDefinition method, int list, ParameterExpression items)
    {
        Expression array = items;
        if (method.ItemTypes.Length > 1)
        {
            var item = Expression.Parameter(typeof(TItem), "item");
            var part = method.ItemTypes[list];
            array = Expression.Call(PartOf.MakeGenericMethod(typeof(TItem), part), items,
                Expression.Lambda(typeof(Func<,>).MakeGenericType(typeof(TItem), part), ValueOf(method, list, item), item));
        }

        var wanted = method.Lists[list].ParameterType;
        return wanted.IsAssignableFrom(array.Type)
            ? array
            : Expression.New(wanted.GetConstructor([typeof(IEnumerable<>).MakeGenericType(method.ItemTypes[list])])!, array);
    }

    private static Expression ValueOf(BatchMethodDefinition method, int index, ParameterExpression item) =>
        method.ItemTypes.Length == 1 ? item : Expression.Field(item, $"Item{index + 1}");

    private static TPart[] Part<TItem, TPart>(TItem[] items, Func<TItem, TPart> part) => Array.ConvertAll(items, item => part(item));
}
