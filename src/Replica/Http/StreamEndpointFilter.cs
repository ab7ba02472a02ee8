using System.Reflection;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Serve.Replica.Batching;
using Serve.Runtime;

namespace Serve.Replica.Http;

/// <summary>
/// Endpoint filter that writes an <see cref="IAsyncEnumerable{T}"/> as a stream whose steps run in turns. Added per endpoint: other endpoints run without a filter.
/// </summary>
internal static class StreamEndpointFilter
{
    private static readonly MethodInfo Typed =
        typeof(StreamEndpointFilter).GetMethod(nameof(Stream), BindingFlags.NonPublic | BindingFlags.Static)!;

    public static void AddTo(RouteGroupBuilder routes, ActorTurnScheduler turns, BatchedMethodSet batches) => routes.AddEndpointFilterFactory((factory, next) =>
    {
        if (ItemType(factory.MethodInfo.ReturnType) is not { } item)
            return next;
        var blocking = factory.MethodInfo.IsDefined(typeof(BlockingAttribute), inherit: true);
        var stream = Typed.MakeGenericMethod(item).CreateDelegate<Func<object, ActorTurnScheduler?, bool, IResult>>();
        // The stream of a batch is produced in turns elsewhere; reading it needs no turn.
        var stepping = batches.IsEntry(factory.MethodInfo) ? null : turns;
        return async context => await next(context) is { } items ? stream(items, stepping, blocking) : null;
    });

    private static StreamingHttpResult<T> Stream<T>(object items, ActorTurnScheduler? turns, bool blocking) =>
        new StreamingHttpResult<T>(turns is null ? (IAsyncEnumerable<T>)items : turns.Wrap((IAsyncEnumerable<T>)items, blocking));

    private static Type? ItemType(Type returned)
    {
        if (returned.IsGenericType && (returned.GetGenericTypeDefinition() == typeof(Task<>) || returned.GetGenericTypeDefinition() == typeof(ValueTask<>)))
            returned = returned.GetGenericArguments()[0];
        return returned.GetInterfaces().Prepend(returned)
            .FirstOrDefault(type => type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IAsyncEnumerable<>))
            ?.GetGenericArguments()[0];
    }
}
