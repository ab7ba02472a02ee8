using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;

namespace Serve.Gateway.Tests;

public sealed class HandleCallEndpointTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData("/-/call/Main/Square")]
    [InlineData("/-/call/x/Main/Square")]
    [InlineData("/-/call/x/Square")]
    public async Task Post_ArgumentArray_ReturnsResult(string path)
    {
        await using var gateway = await StartAsync();
        gateway.Local("r1").Method = (method, arguments, call, _) =>
        {
            Assert.Equal("Square", method);
            Assert.Equal("id-1", call.RequestId);
            Assert.Equal("m1", call.MultiplexedModelId);
            return new(arguments[0].GetInt32() * arguments[0].GetInt32());
        };
        using var request = Call(path, "[3]");
        request.Headers.Add("X-Request-ID", "id-1");
        request.Headers.Add("serve_multiplexed_model_id", "m1");

        var response = await gateway.Client.SendAsync(request);

        Assert.Equal("9", await response.Content.ReadAsStringAsync());
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Post_VoidMethod_ReturnsNull()
    {
        await using var gateway = await StartAsync();
        var response = await gateway.Client.SendAsync(Call("/-/call/Main/Nothing", "[]"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("null", await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("/-/broadcast/Main/Square")]
    [InlineData("/-/broadcast/x/Main/Square?timeout_ms=20000")]
    public async Task PostBroadcast_OneReplicaFails_ReturnsResultsAndErrors(string path)
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        gateway.Local("r1").Method = (_, arguments, _, _) => new(arguments[0].GetInt32() * arguments[0].GetInt32());
        gateway.Local("r2").Method = (_, _, _, _) => throw new UserCodeException(new InvalidOperationException("no"));
        await gateway.Deploy("x", "/x", "r1 r2").PublishAsync();

        var response = await gateway.Client.SendAsync(Call(path, "[3]"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var results = JsonDocument.Parse(await response.Content.ReadAsStringAsync());
        Assert.Equal(("r1", 9), (results.RootElement[0].GetProperty("replicaId").GetString(), results.RootElement[0].GetProperty("result").GetInt32()));
        Assert.Equal("user_exception", results.RootElement[1].GetProperty("error").GetProperty("reason").GetString());
    }

    [Fact]
    public async Task PostBroadcast_InvalidTimeout_ReturnsBadInput()
    {
        await using var gateway = await StartAsync();
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(Call("/-/broadcast/Main/Square?timeout_ms=-1", "[3]")), HttpStatusCode.BadRequest, "bad_input");
    }

    [Theory]
    [InlineData("[1", HttpStatusCode.BadRequest)]
    [InlineData("{}", HttpStatusCode.BadRequest)]
    [InlineData("null", HttpStatusCode.BadRequest)]
    [InlineData("", HttpStatusCode.BadRequest)]
    public async Task Post_NotAJsonArray_ReturnsBadInput(string body, HttpStatusCode status)
    {
        await using var gateway = await StartAsync();
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(Call("/-/call/Main/Square", body)), status, "bad_input");
    }

    [Fact]
    public async Task Post_NotJson_Returns415()
    {
        await using var gateway = await StartAsync();
        using var request = Call("/-/call/Main/Square", "[3]");
        request.Content!.Headers.ContentType = new("text/plain");
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(request), HttpStatusCode.UnsupportedMediaType, "bad_input");
    }

    [Fact]
    public async Task Post_UnknownDeployment_ReturnsNoSuchRoute()
    {
        await using var gateway = await StartAsync();
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(Call("/-/call/Unknown/Square", "[]")), HttpStatusCode.NotFound, "no_such_route");
    }

    [Fact]
    public async Task Post_MethodThrows_ReturnsUserException()
    {
        await using var gateway = await StartAsync();
        gateway.Local("r1").Method = (_, _, _, _) => throw new UserCodeException(new InvalidOperationException("no"));
        var problem = await ProblemDocument.IsAsync(
            await gateway.Client.SendAsync(Call("/-/call/Main/Square", "[3]")), HttpStatusCode.InternalServerError, "user_exception");
        Assert.Equal("System.InvalidOperationException", problem.GetProperty("exceptionType").GetString());
        Assert.False(problem.TryGetProperty("stack", out _));
    }

    [Fact]
    public async Task Post_ErrorWithFilePath_ClientReceivesNameAndLogHasPath()
    {
        const string Message = "Could not find file '/tmp/app/labels.txt'.";
        await using var gateway = await StartAsync();
        gateway.Local("r1").Method = (_, _, _, _) => throw new UserCodeException(new FileNotFoundException(Message));
        gateway.Local("r1").Stream = (_, _, stop) => Failing(Message);

        var problem = await ProblemDocument.IsAsync(
            await gateway.Client.SendAsync(Call("/-/call/Main/Square", "[3]")), HttpStatusCode.InternalServerError, "user_exception");
        var lines = await (await gateway.Client.SendAsync(Lines("[3]"))).Content.ReadAsStringAsync();

        Assert.Equal("Could not find file 'labels.txt'.", problem.GetProperty("detail").GetString());
        Assert.Contains("labels.txt", lines, StringComparison.Ordinal);
        Assert.DoesNotContain("/tmp", lines, StringComparison.Ordinal);
        Assert.Contains(gateway.Logged, line => line.Contains("/-/call/Main/Square", StringComparison.Ordinal) && line.EndsWith("UserCodeException", StringComparison.Ordinal));
        Assert.Contains(gateway.Logged, line => line.Contains("/-/call/Main/Tokens", StringComparison.Ordinal) && line.EndsWith("UserCodeException", StringComparison.Ordinal));

        await using var development = await StartAsync(new() { IncludeStack = true });
        development.Local("r1").Method = gateway.Local("r1").Method;
        problem = await ProblemDocument.IsAsync(
            await development.Client.SendAsync(Call("/-/call/Main/Square", "[3]")), HttpStatusCode.InternalServerError, "user_exception");
        Assert.Equal(Message, problem.GetProperty("detail").GetString());
    }

    [Theory]
    [InlineData("Sec-Fetch-Site", "cross-site")]
    [InlineData("Origin", "http://evil.example")]
    [InlineData("Host", "evil.example")]
    public async Task Post_FromWebPage_ReturnsForbidden(string header, string value)
    {
        await using var gateway = await StartAsync();
        using var request = Call("/-/call/Main/Square", "[3]");
        request.Headers.TryAddWithoutValidation(header, value);
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(request), HttpStatusCode.Forbidden, "forbidden");
    }

    [Fact]
    public async Task Post_MissingToken_ReturnsUnauthorized()
    {
        await using var gateway = await StartAsync(new GatewayOptions { Guard = new() { Token = "secret" } });
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(Call("/-/call/Main/Square", "[3]")), HttpStatusCode.Unauthorized, "unauthorized");
        using var request = Call("/-/call/Main/Square", "[3]");
        request.Headers.Authorization = new("Bearer", "secret");
        Assert.Equal(HttpStatusCode.OK, (await gateway.Client.SendAsync(request)).StatusCode);
    }

    [Fact]
    public async Task Post_TimeoutExpires_Returns408AndCancelsMethod()
    {
        await using var gateway = await StartAsync();
        var cancelled = new TaskCompletionSource();
        gateway.Local("r1").Method = async (_, _, _, stop) =>
        {
            await using var registration = stop.Register(() => cancelled.TrySetResult());
            await Task.Delay(Timeout.Infinite, stop);
            return null;
        };
        using var request = Call("/-/call/Main/Square", "[3]");
        request.Headers.Add("Serve-Timeout-Ms", "100");

        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(request).WaitAsync(Bound), HttpStatusCode.RequestTimeout, "timeout");
        await cancelled.Task.WaitAsync(Bound);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("0")]
    [InlineData("-5")]
    public async Task Post_InvalidTimeout_ReturnsBadInput(string timeout)
    {
        await using var gateway = await StartAsync();
        using var request = Call("/-/call/Main/Square", "[3]");
        request.Headers.Add("Serve-Timeout-Ms", timeout);
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(request), HttpStatusCode.BadRequest, "bad_input");
    }

    [Fact]
    public async Task Post_AcceptsJsonLines_WritesEachItemImmediately()
    {
        await using var gateway = await StartAsync();
        using var next = new SemaphoreSlim(0);
        gateway.Local("r1").Stream = (_, arguments, stop) => Count(arguments[0].GetInt32(), next, fails: false, stop);

        using var response = await gateway.Client.SendAsync(Lines("[3]"), HttpCompletionOption.ResponseHeadersRead).WaitAsync(Bound);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"{{\"item\":{i}}}", await reader.ReadLineAsync().WaitAsync(Bound));
            next.Release();
        }

        Assert.Equal("""{"end":true}""", await reader.ReadLineAsync().WaitAsync(Bound));
        Assert.Equal("application/x-ndjson", response.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task Post_StreamFails_LastLineIsError()
    {
        await using var gateway = await StartAsync();
        using var next = new SemaphoreSlim(10);
        gateway.Local("r1").Stream = (_, _, stop) => Count(2, next, fails: true, stop);
        var lines = (await (await gateway.Client.SendAsync(Lines("[3]"))).Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, lines.Length);
        var error = JsonSerializer.Deserialize<JsonElement>(lines[2]).GetProperty("error");
        Assert.Equal("user_exception", error.GetProperty("reason").GetString());
        Assert.Equal(500, error.GetProperty("status").GetInt32());
    }

    [Fact]
    public async Task Post_StreamFailsBeforeFirstItem_ReturnsErrorStatus()
    {
        await using var gateway = await StartAsync();
        using var next = new SemaphoreSlim(10);
        gateway.Local("r1").Stream = (_, _, stop) => Count(0, next, fails: true, stop);
        await ProblemDocument.IsAsync(await gateway.Client.SendAsync(Lines("[]")), HttpStatusCode.InternalServerError, "user_exception");
    }

    [Fact]
    public async Task Post_CallerDisconnects_CancelsStream()
    {
        await using var gateway = await StartAsync();
        using var next = new SemaphoreSlim(0);
        var ended = new TaskCompletionSource();
        gateway.Local("r1").Stream = (_, _, stop) => Endless(ended, stop);
        using (var response = await gateway.Client.SendAsync(Lines("[]"), HttpCompletionOption.ResponseHeadersRead).WaitAsync(Bound))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            await reader.ReadLineAsync().WaitAsync(Bound);
        }

        await ended.Task.WaitAsync(Bound);
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Replicas[0].Ongoing == 0);
    }

    private static async IAsyncEnumerable<int> Count(int count, SemaphoreSlim next, bool fails, [EnumeratorCancellation] CancellationToken stop)
    {
        for (var i = 0; i < count; i++)
        {
            yield return i;
            await next.WaitAsync(stop);
        }

        if (fails)
            throw new UserCodeException(new InvalidOperationException("no"));
    }

    private static async IAsyncEnumerable<int> Failing(string message)
    {
        yield return 0;
        await Task.Yield();
        throw new UserCodeException(new FileNotFoundException(message));
    }

    private static async IAsyncEnumerable<int> Endless(TaskCompletionSource ended, [EnumeratorCancellation] CancellationToken stop)
    {
        try
        {
            yield return 0;
            await Task.Delay(Timeout.Infinite, stop);
        }
        finally
        {
            ended.SetResult();
        }
    }

    private static async Task<GatewayTestHost> StartAsync(GatewayOptions? options = null)
    {
        var gateway = await GatewayTestHost.StartAsync(options);
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        return gateway;
    }

    private static HttpRequestMessage Call(string path, string body) =>
        new(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };

    private static HttpRequestMessage Lines(string body)
    {
        var request = Call("/-/call/Main/Tokens", body);
        request.Headers.Accept.ParseAdd("application/x-ndjson");
        return request;
    }
}
