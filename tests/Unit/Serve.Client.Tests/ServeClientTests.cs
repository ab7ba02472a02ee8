using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Serve.Client.Tests;

public sealed class ServeClientTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Remote_ByName_SendsArgumentsAsJsonAndReadsTheResult()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", () => """{"count":1}"""));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var counter = await serve.GetHandle("Counter").Remote<CountReply>();
        await serve.GetHandle("Counter", "my app").Method("Add").Remote<CountReply>(2, "two", new { Deep = true }, null);

        Assert.Equal(new CountReply(1), counter);
        Assert.Equal(
            ["POST /-/call/Counter/Call []", """POST /-/call/my%20app/Counter/Add [2,"two",{"deep":true},null]"""],
            node.Requests);
    }

    [Fact]
    public async Task Broadcast_ByName_ReadsResultsAndErrors()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/broadcast/{**rest}", () =>
            """[{"replicaId":"a#A#1","result":{"count":1}},{"replicaId":"a#A#2","error":{"status":500,"reason":"user_exception","exceptionType":"X","detail":"no"}}]"""));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var results = await serve.GetHandle("Counter", "my app").Method("Add").Broadcast<CountReply>(2);
        await serve.GetHandle<Plain>().ToDeploymentHandle().Options(timeout: TimeSpan.FromSeconds(3)).Broadcast<CountReply>();

        Assert.Equal(("a#A#1", new CountReply(1)), (results[0].ReplicaId, results[0].Value));
        Assert.Equal("no", Assert.IsType<UserCodeException>(results[1].Error).Message);
        Assert.Throws<UserCodeException>(() => results[1].Value);
        var requests = node.Requests.ToArray();
        Assert.Equal("POST /-/broadcast/my%20app/Counter/Add [2]", requests[0]);
        Assert.Matches(@"^POST /-/broadcast/Plain/Call\?timeout_ms=[23][0-9]{3} \[\]$", requests[1]);
    }

    [Fact]
    public async Task GetHandle_OfAClass_TakesTheNameItIsDeployedUnder()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", () => "3"));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        await serve.GetHandle<Plain>().ToDeploymentHandle().Remote<int>();
        await serve.GetHandle<Renamed>("app").ToDeploymentHandle().Remote<int>();

        Assert.Equal(["POST /-/call/Plain/Call []", "POST /-/call/app/other/Call []"], node.Requests);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("")]
    public async Task Remote_NothingComesBack_IsNull(string body)
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", () => body));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        Assert.Null(await serve.GetHandle("Counter").Remote<object?>());
    }

    [Fact]
    public async Task Remote_Options_TravelAsHeaders()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", () => "3"));
        await using var serve = await ServeClient.ConnectAsync(node.Address, new() { Token = "secret" });

        await serve.GetHandle("Counter").Options(multiplexedModelId: "m1", requestId: "r1").Remote<int>();

        var headers = node.Headers.Last();
        Assert.Equal("m1", headers["serve_multiplexed_model_id"]);
        Assert.Equal("r1", headers["X-Request-ID"]);
        Assert.Equal("Bearer secret", headers.Authorization);
    }

    [Fact]
    public async Task Remote_ResponseAsArgument_IsAwaitedFirst()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{deployment}/Call", (string deployment) => deployment == "Resize" ? "7" : "8"));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        Assert.Equal(8, await serve.GetHandle("Classify").Remote<int>(serve.GetHandle("Resize").Remote<int>(1), 2));

        Assert.Equal(["POST /-/call/Resize/Call [1]", "POST /-/call/Classify/Call [7,2]"], node.Requests);
    }

    [Theory]
    [InlineData(404, """{"reason":"no_such_route","detail":"No deployment X."}""", typeof(NoSuchRouteException), "No deployment X.", true)]
    [InlineData(503, """{"reason":"overloaded","detail":"Full."}""", typeof(OverloadedException), "Full.", true)]
    [InlineData(503, """{"reason":"no_replica","detail":"None."}""", typeof(NoReplicaException), "None.", true)]
    [InlineData(408, """{"reason":"timeout","detail":"Late."}""", typeof(RequestTimeoutException), "Late.", false)]
    [InlineData(500, """{"reason":"user_exception","detail":"Boom."}""", typeof(UserCodeException), "Boom.", false)]
    [InlineData(502, """{"reason":"replica_died","detail":"Died."}""", typeof(ReplicaDiedException), "Died.", false)]
    [InlineData(400, """{"reason":"bad_input","detail":"Bad."}""", typeof(BadInputException), "Bad.", true)]
    [InlineData(401, """{"reason":"unauthorized","detail":"Token?"}""", typeof(AccessDeniedException), "Token?", true)]
    [InlineData(403, """{"reason":"forbidden","detail":"Host?"}""", typeof(AccessDeniedException), "Host?", true)]
    [InlineData(418, """{"reason":"teapot","title":"Tea."}""", typeof(UnexpectedResponseException), "Tea.", false)]
    [InlineData(500, "<html>", typeof(UnexpectedResponseException), "HTTP 500 Internal Server Error", false)]
    public async Task Remote_Problem_IsTheSameExceptionAsInside(int status, string json, Type expected, string message, bool retrySafe)
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", FakeHttpNode.Problem(status, json)));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var error = await Assert.ThrowsAnyAsync<ServeException>(async () => await serve.GetHandle("X").Remote<int>());

        Assert.Equal((expected, message, status, retrySafe), (error.GetType(), error.Message, error.StatusCode, error.IsRetrySafe));
    }

    [Fact]
    public async Task Remote_ProblemWithMore_KeepsIt()
    {
        await using var node = await FakeHttpNode.StartAsync(app =>
        {
            app.MapPost("/-/call/A/Call", FakeHttpNode.Problem(500, """{"reason":"user_exception","detail":"Boom.","exceptionType":"My.Boom","stack":"at My.Code"}"""));
            app.MapPost("/-/call/B/Call", context =>
            {
                context.Response.Headers.RetryAfter = "7";
                return FakeHttpNode.Problem(503, """{"reason":"overloaded","detail":"Full."}""")(context);
            });
        });
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var user = await Assert.ThrowsAsync<UserCodeException>(async () => await serve.GetHandle("A").Remote<int>());
        var full = await Assert.ThrowsAsync<OverloadedException>(async () => await serve.GetHandle("B").Remote<int>());

        Assert.Equal(("My.Boom", "at My.Code"), (user.ExceptionType, user.RemoteStack));
        Assert.Equal(7.Seconds, full.RetryAfter);
    }

    [Fact]
    public async Task Remote_ResultOfAnotherType_SaysSo()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", () => """{"count":1}"""));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var error = await Assert.ThrowsAsync<UnreadableResultException>(async () => await serve.GetHandle("Counter").Remote<int>());

        Assert.StartsWith("The result of Counter.Call cannot be deserialized as Int32: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Remote_ArgumentThatIsNoJson_SaysSo()
    {
        await using var node = await FakeHttpNode.StartAsync(_ => { });
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var error = await Assert.ThrowsAsync<BadInputException>(async () => await serve.GetHandle("Counter").Remote<int>((Action)(() => { })));

        Assert.StartsWith("An argument of Counter.Call cannot be serialized as JSON: ", error.Message, StringComparison.Ordinal);
        Assert.Empty(node.Requests);
    }

    [Fact]
    public async Task Cancel_AbortsTheRequestOnTheServer()
    {
        var (started, aborted) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", context => HangAsync(context, started, aborted)));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var call = serve.GetHandle("Counter").Remote<int>();
        await started.Task.WaitAsync(Bound);
        Assert.False(call.IsCompleted);
        call.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await call);
        await aborted.Task.WaitAsync(Bound);
        Assert.True(call.IsCompleted);
    }

    [Fact]
    public async Task Timeout_OfTheClientOrTheHandle_FailsAndAbortsTheRequest()
    {
        var (started, aborted) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", context => HangAsync(context, started, aborted)));
        await using var serve = await ServeClient.ConnectAsync(node.Address, new() { Timeout = 50.Milliseconds });

        var error = await Assert.ThrowsAsync<RequestTimeoutException>(async () => await serve.GetHandle("Counter").Remote<int>());
        await aborted.Task.WaitAsync(Bound);

        Assert.Equal("The call exceeded its timeout of 50 ms and was canceled.", error.Message);
    }

    [Fact]
    public async Task Stream_Lines_AreItems()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", Lines("""{"item":"a"}""", """{"item":"b"}""", """{"end":true}""")));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var items = await serve.GetHandle("Calculator").Method("Tokens").Stream<string>(5).ToListAsync();

        Assert.Equal(["a", "b"], items);
        Assert.Equal(["POST /-/call/Calculator/Tokens [5]"], node.Requests);
        Assert.Equal("application/x-ndjson", node.Headers.Last().Accept);
    }

    [Fact]
    public async Task Stream_ErrorAtTheEnd_IsThrownAfterTheItems()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", Lines("""{"item":1}""", """{"error":{"reason":"user_exception","detail":"Boom."}}""")));
        await using var serve = await ServeClient.ConnectAsync(node.Address);
        List<int> items = [];

        var error = await Assert.ThrowsAsync<UserCodeException>(async () =>
        {
            await foreach (var item in serve.GetHandle("X").Stream<int>())
                items.Add(item);
        });

        Assert.Equal([1], items);
        Assert.Equal("Boom.", error.Message);
    }

    [Fact]
    public async Task Stream_CutOff_IsNoEnd()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", Lines("""{"item":1}""")));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var error = await Assert.ThrowsAsync<NodeUnreachableException>(async () => await serve.GetHandle("X").Stream<int>().ToListAsync());

        Assert.Equal($"The connection to {node.Address} broke before the response was complete. The request may have been executed.", error.Message);
        Assert.False(error.IsRetrySafe);
    }

    [Fact]
    public async Task Stream_OfAMethodThatReturnsOneResult_SaysSo()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", () => Results.Json(1)));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var error = await Assert.ThrowsAsync<UnreadableResultException>(async () => await serve.GetHandle("X").Stream<int>().ToListAsync());

        Assert.Equal("X.Call returned a single result, not a stream. Call it with Remote.", error.Message);
    }

    [Fact]
    public async Task Stream_LeftEarly_AbortsTheRequestOnTheServer()
    {
        var (started, aborted) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", async context =>
        {
            context.Response.ContentType = "application/x-ndjson";
            await context.Response.WriteAsync("{\"item\":1}\n");
            await HangAsync(context, started, aborted);
        }));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        await foreach (var item in serve.GetHandle("X").Stream<int>())
            break;

        await aborted.Task.WaitAsync(Bound);
    }

    [Fact]
    public async Task Connect_NobodyListens_SaysWhatToDo()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();

        var error = await Assert.ThrowsAsync<NodeUnreachableException>(() => ServeClient.ConnectAsync($"http://127.0.0.1:{port}"));

        Assert.Equal($"No response from http://127.0.0.1:{port}. Start a node with 'serve start', or run an application with 'serve run', and use its HTTP address.", error.Message);
        Assert.True(error.IsRetrySafe);
        Assert.Equal("unreachable", error.Reason);
    }

    [Fact]
    public async Task Connect_ListensAndNeverAnswers_GivesUp()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var address = $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

        var error = await Assert.ThrowsAsync<NodeUnreachableException>(() => ServeClient.ConnectAsync(address, new() { ConnectTimeout = 100.Milliseconds }));

        Assert.Equal($"The server at {address} did not respond within 0.1 s.", error.Message);
    }

    [Fact]
    public async Task Connect_SomethingElseAnswers_SaysSo()
    {
        await using var node = await FakeHttpNode.StartAsync(_ => { });

        var error = await Assert.ThrowsAsync<NodeUnreachableException>(() => ServeClient.ConnectAsync(node.Address + "/elsewhere"));

        Assert.Equal(
            $"The server at {node.Address} is not a healthy gateway: GET /-/healthz returned 404. Is this the HTTP address (8000 by default), not the admin one?",
            error.Message);
    }

    [Fact]
    public async Task Remote_NodeGoneSinceConnecting_IsRetrySafe()
    {
        var node = await FakeHttpNode.StartAsync(_ => { });
        await using var serve = await ServeClient.ConnectAsync(node.Address);
        await node.DisposeAsync();

        var error = await Assert.ThrowsAsync<NodeUnreachableException>(async () => await serve.GetHandle("X").Remote<int>());

        Assert.True(error.IsRetrySafe);
    }

    [Fact]
    public async Task Remote_ConnectionBreaksUnderway_IsNotRetrySafe()
    {
        await using var node = await FakeHttpNode.StartAsync(app => app.MapPost("/-/call/{**rest}", context => { context.Abort(); return Task.CompletedTask; }));
        await using var serve = await ServeClient.ConnectAsync(node.Address);

        var error = await Assert.ThrowsAsync<NodeUnreachableException>(async () => await serve.GetHandle("X").Remote<int>());

        Assert.False(error.IsRetrySafe);
    }

    [Theory]
    [InlineData("127.0.0.1:8000")]
    [InlineData("ftp://127.0.0.1")]
    [InlineData("http://127.0.0.1:8000/?x=1")]
    [InlineData("")]
    public async Task Connect_NoAddress_SaysHowOneLooks(string address)
    {
        var error = await Assert.ThrowsAsync<ArgumentException>(() => ServeClient.ConnectAsync(address));

        Assert.StartsWith($"'{address}' is not a valid address. Example: http://127.0.0.1:8000", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connect_TokenFile_IsReadOrRefused()
    {
        await using var node = await FakeHttpNode.StartAsync(_ => { });
        var file = Path.GetTempFileName();
        try
        {
            await File.WriteAllTextAsync(file, "from-file\n");
            await using (await ServeClient.ConnectAsync(node.Address, new() { TokenFile = file }))
                Assert.Equal("Bearer from-file", node.Headers.Last().Authorization);

            await File.WriteAllTextAsync(file, " ");
            var empty = await Assert.ThrowsAsync<ArgumentException>(() => ServeClient.ConnectAsync(node.Address, new() { TokenFile = file }));
            Assert.StartsWith($"The token file {file} is empty.", empty.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }

        var missing = await Assert.ThrowsAsync<ArgumentException>(() => ServeClient.ConnectAsync(node.Address, new() { TokenFile = file }));
        Assert.StartsWith($"The token file {file} cannot be read: ", missing.Message, StringComparison.Ordinal);
        var both = await Assert.ThrowsAsync<ArgumentException>(() => ServeClient.ConnectAsync(node.Address, new() { TokenFile = file, Token = "x" }));
        Assert.StartsWith("Specify a token or a token file, not both.", both.Message, StringComparison.Ordinal);
    }

    private static Func<HttpContext, Task> Lines(params string[] lines) => async context =>
    {
        context.Response.ContentType = "application/x-ndjson";
        foreach (var line in lines)
        {
            await context.Response.WriteAsync(line + "\n");
            await context.Response.Body.FlushAsync();
        }
    };

    private static async Task HangAsync(HttpContext context, TaskCompletionSource started, TaskCompletionSource aborted)
    {
        using var registration = context.RequestAborted.Register(() => aborted.TrySetResult());
        started.TrySetResult();
        await aborted.Task;
    }

    private sealed record CountReply(int Count);

    [Deployment]
    private sealed class Plain;

    [Deployment("other")]
    private sealed class Renamed;
}
