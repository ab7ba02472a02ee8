using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Serve.Calls;
using Serve.Http;
using Serve.Runtime;

namespace Serve.Gateway.Tests;

/// <summary>A replica in the gateway's process with delegates for HTTP requests and calls.</summary>
internal sealed class InProcessTestReplica : ILocalActor
{
    public ActorInstance Instance => field ??= new HttpInstance(this);

    public bool IsStopping => false;

    public bool Refuses { get; set; }

    public int Refusals;

    public RequestDelegate Http { get; set; } = context => context.Response.WriteAsync($"{context.Request.PathBase}|{context.Request.Path}");

    public Func<string, JsonElement[], CallContext, CancellationToken, ValueTask<object?>> Method { get; set; } = (_, _, _, _) => new((object?)null);

    public Func<string, JsonElement[], CancellationToken, IAsyncEnumerable<int>>? Stream { get; set; }

    public async ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        var result = await Method(call.Method, [.. call.GetArguments().Cast<JsonElement>()], context, cancellationToken);
        return result is null ? default! : (TResult)(object)JsonSerializer.SerializeToElement(result, ServeJson.Calls);
    }

    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in Stream!(call.Method, [.. call.GetArguments().Cast<JsonElement>()], cancellationToken))
            yield return (TItem)(object)JsonSerializer.SerializeToElement(item);
    }

    private sealed class HttpInstance(InProcessTestReplica replica) : ActorInstance, IActorHttpHandler
    {
        public override object Target => replica;

        public override ActorMethodTable Methods => throw new NotSupportedException();

        public async ValueTask<bool> TryHandleAsync(HttpContext context)
        {
            if (replica.Refuses)
            {
                Interlocked.Increment(ref replica.Refusals);
                return false;
            }

            await replica.Http(context);
            return true;
        }

        public override ValueTask DisposeAsync() => default;
    }
}
