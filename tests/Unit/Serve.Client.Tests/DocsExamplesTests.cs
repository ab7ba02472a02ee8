using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Serve.Client.Tests;

/// <summary>The documentation's examples of handles, as they stand there.</summary>
public sealed class DocsExamplesTests
{
    [Fact]
    public async Task Handles_AsInTheDocs_CompileAndRun()
    {
        await using var node = await FakeHttpNode.StartAsync(app =>
        {
            app.MapPost("/-/call/Counter/Call", () => """{"count":1}""");
            app.MapPost("/-/call/Calculator/Square", async (HttpRequest request) => (await ArgumentsAsync(request))[0].GetInt32() is var x ? x * x : 0);
            app.MapPost("/-/call/Calculator/Tokens", async (HttpContext context) =>
            {
                context.Response.ContentType = "application/x-ndjson";
                for (var i = 0; i < (await ArgumentsAsync(context.Request))[0].GetInt32(); i++)
                    await context.Response.WriteAsync($$"""{"item":"t{{i}}"}""" + "\n");
                await context.Response.WriteAsync("{\"end\":true}\n");
            });
            app.MapPost("/-/call/Calculator/Sum", context => Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted));
        });
        var address = node.Address;
        var numbers = new Numbers([1, 2]);
        List<string> tokens = [];

        await using var serve = await ServeClient.ConnectAsync(address);

        DeploymentHandle counter = serve.GetHandle("Counter");           // by name
        var reply = await counter.Remote<CountReply>();                  // Counter.get_handle().remote()
        int nine = await serve.GetHandle("Calculator").Method("Square").Remote<int>(3);

        DeploymentHandle<Calculator> calc = serve.GetHandle<Calculator>();  // typed, by the source generator
        int nine2 = await calc.Square.Remote(3);
        await foreach (var t in calc.Tokens.Stream(5))
            tokens.Add(t);
        var slow = calc.Sum.Options(timeout: 2.Seconds, multiplexedModelId: "m1").Remote(numbers);   // starts now
        slow.Cancel();

        Assert.Equal((new CountReply(1), 9, 9), (reply, nine, nine2));
        Assert.Equal(["t0", "t1", "t2", "t3", "t4"], tokens);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await slow);
    }

    private static async Task<JsonElement[]> ArgumentsAsync(HttpRequest request)
    {
        request.Body.Position = 0;
        return (await JsonSerializer.DeserializeAsync<JsonElement[]>(request.Body))!;
    }

    internal sealed record CountReply(int Count);

    internal sealed record Numbers(int[] Values);

    internal sealed record Result(int Sum);

    /// <summary>The class that the caller compiles against; its instances run in another process.</summary>
    [Deployment(NumReplicas = 2, MaxOngoingRequests = 32)]
    internal sealed class Calculator
    {
        public int Square(int x) => x * x;

        public Result Sum(Numbers body, CancellationToken stop) => new(body.Values.Sum());

        public async IAsyncEnumerable<string> Tokens(int n)
        {
            await Task.Yield();
            for (var i = 0; i < n; i++)
                yield return $"t{i}";
        }
    }
}
