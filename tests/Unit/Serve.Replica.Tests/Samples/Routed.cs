using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;

namespace Serve.Replica.Tests.Samples;

[Deployment]
public sealed class Routed : IIngress
{
    private int _asked;

    public void Map(IEndpointRouteBuilder routes)
    {
        var api = routes.MapGroup("/v2").AddEndpointFilter(async (context, next) =>
        {
            context.HttpContext.Response.Headers["X-Filtered"] = "yes";
            return await next(context);
        });
        api.MapGet("/models/{name}", Results<Ok<string>, NotFound> (string name) => name == "none" ? TypedResults.NotFound() : TypedResults.Ok($"{name} {++_asked}"));
        api.MapGet("/numbers", () => Numbers());
    }

    private static async IAsyncEnumerable<int> Numbers()
    {
        yield return 1;
        await Task.Yield();
        yield return 2;
    }
}

[Deployment]
public sealed class RoutedBatch : IIngress
{
    public void Map(IEndpointRouteBuilder routes) => routes.MapGroup("/v1").MapGet("/squares/{x}", Square);

    [Batch]
    public int[] Square(int[] x) => [.. x.Select(each => each * each)];
}
