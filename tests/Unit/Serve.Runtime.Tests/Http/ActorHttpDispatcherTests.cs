using System.Net;
using System.Net.Sockets;
using System.Text;
using Serve.Calls;
using Serve.Routes;
using Serve.Runtime.Testing;
using Serve.Runtime.Workers.Connections;

namespace Serve.Runtime.Tests.Http;

public sealed class ActorHttpDispatcherTests : IAsyncLifetime, IDisposable
{
    private readonly LocalAgentFixture _runtime = new();
    private readonly HttpClient _client = new();
    private CreatedTestActor _actor = null!;

    public async Task InitializeAsync() => _actor = await _runtime.CreateAsync(new WorkerPlacement.Own("http"), maxOngoing: 1);

    public async Task DisposeAsync() => await _runtime.DisposeAsync();

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task Request_WithTokenAndActor_IsServedWithoutTheNodesHeaders()
    {
        var response = await _client.SendAsync(Request("/My%20Counter/a/b?x=1", pathBase: "/My%20Counter", body: new byte[100_000]));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("POST /My%20Counter|/a/b|100000|", await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData("https://192.0.2.7:4711", "https://192.0.2.7:4711 models.example")]
    [InlineData("http://[2001:db8::1]:80", "http://2001:db8::1:80 models.example")]
    public async Task Request_OfAClient_LooksAsTheGatewaySawIt(string client, string seen)
    {
        var request = Request("/");
        request.Headers.Host = "models.example";
        request.Headers.Add(WireHeaderNames.Client, client);
        var response = await _client.SendAsync(request);
        Assert.Equal(seen, Assert.Single(response.Headers.GetValues("Seen-Client")));
        Assert.EndsWith("|", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("30000000", "30000000")]
    [InlineData(null, "")]
    [InlineData("-1", "")]
    [InlineData("much", "")]
    public async Task Request_WithALimitOfTheGateways_HasItAsItWouldThere(string? limit, string seen)
    {
        var request = Request("/");
        if (limit is not null)
            request.Headers.Add(WireHeaderNames.BodyLimit, limit);
        var response = await _client.SendAsync(request);
        Assert.Equal(seen, response.Headers.GetValues("Seen-Limit").Single());
        Assert.EndsWith("|", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("wrong")]
    public async Task Request_WithoutTheToken_IsRefused(string? token)
    {
        var response = await _client.SendAsync(Request("/", token: token));
        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Contains(ErrorReason.Unauthorized, await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_ToAnActorThatIsNotThere_IsRefusedAsGone()
    {
        var response = await _client.SendAsync(Request("/", id: "missing", token: _actor.Process.Token));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("gone", Assert.Single(response.Headers.GetValues(WireHeaderNames.Refused)));
    }

    [Fact]
    public async Task Request_ToAFullActor_IsRefusedBeforeItsBodyIsSent()
    {
        using var source = new CancellationTokenSource();
        Task<bool> Begin() => _actor.InvokeAsync(new NamedMethodCall<bool>("Forever"), CallContext.None, source.Token).AsTask();
        var busy = Begin();
        await Eventually.TrueAsync(async () =>
        {
            // The probing request itself may occupy the slot, so that the call is refused.
            if (busy.IsFaulted)
                busy = Begin();
            return (await _client.SendAsync(Request("/", token: _actor.Process.Token))).StatusCode == HttpStatusCode.ServiceUnavailable;
        });
        var address = new Uri(_actor.Process.HttpAddress!);
        using var socket = new TcpClient();
        await socket.ConnectAsync(address.Host, address.Port);
        var head = $"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n{WireHeaderNames.Token}: {_actor.Process.Token}\r\n{WireHeaderNames.Actor}: {_actor.Id}\r\n\r\n";
        await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head));
        var answer = new byte[4096];
        var length = await socket.GetStream().ReadAsync(answer).SoonAsync();
        var text = Encoding.ASCII.GetString(answer, 0, length);
        Assert.StartsWith("HTTP/1.1 503", text, StringComparison.Ordinal);
        Assert.Contains($"{WireHeaderNames.Refused}: full", text, StringComparison.Ordinal);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => busy);
    }

    [Fact]
    public async Task Request_PathOfAFormerGrpcService_ReachesTheActor()
    {
        var response = await _client.SendAsync(Request("/serve.runtime.v1.Control/StopActor", token: _actor.Process.Token));
        Assert.StartsWith("POST |/serve.runtime.v1.Control/StopActor", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_Connected_AcceptsCallsButNoQueries()
    {
        var inNode = await _runtime.CreateAsync(WorkerPlacement.InProcess);
        using var connection = await ProcessConnection.ConnectAsync(inNode.Process.CallAddress!, inNode.Process.Token!, CancellationToken.None);
        await Assert.ThrowsAsync<BadInputException>(() => connection.QueryAsync(NodeQueryKinds.CollectMetrics, default, default, CancellationToken.None));
        var rejected = await Assert.ThrowsAsync<ConnectionLostException>(() => ProcessConnection.ConnectAsync(inNode.Process.CallAddress!, "wrong", CancellationToken.None));
        Assert.False(rejected.MayHaveStarted);
    }

    private HttpRequestMessage Request(string path, string? pathBase = null, string? id = null, string? token = "right", byte[]? body = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, _actor.Process.HttpAddress + path) { Content = new ByteArrayContent(body ?? []) };
        request.Headers.Add(WireHeaderNames.Actor, id ?? _actor.Id.Value);
        if (token is not null)
            request.Headers.Add(WireHeaderNames.Token, token == "right" ? _actor.Process.Token : token);
        if (pathBase is not null)
            request.Headers.Add(WireHeaderNames.PathBase, pathBase);
        return request;
    }
}
