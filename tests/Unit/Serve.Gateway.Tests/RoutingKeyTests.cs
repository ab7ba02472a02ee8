using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Serve.Routes;

namespace Serve.Gateway.Tests;

public sealed class RoutingKeyTests : IAsyncLifetime
{
    private const string Replicas = "r1 r2 r3 r4 r5 r6 r7 r8 r9";
    private GatewayTestHost _gateway = null!;

    public async Task InitializeAsync() => _gateway = await GatewayTestHost.StartAsync();

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Theory]
    [InlineData("header:x-session-id", "/app", "x-session-id: KEY")]
    [InlineData("cookie:sid", "/app", "cookie: a=b; sid=KEY")]
    [InlineData("query:user", "/app?a=1&user=KEY", null)]
    [InlineData("route:/users/{id}", "/app/users/KEY/photos", null)]
    [InlineData("route:/{kind}/{id}", "/app/users/KEY", null)]
    public async Task Http_RequestsWithTheSameKey_ReachOneReplica(string expression, string path, string? header)
    {
        await DeployAsync(expression);

        var replicasOf = new Dictionary<string, HashSet<string>>();
        for (var i = 0; i < 60; i++)
        {
            var key = $"k{i % 12}";
            using var request = new HttpRequestMessage(HttpMethod.Get, path.Replace("KEY", key, StringComparison.Ordinal));
            if (header?.Replace("KEY", key, StringComparison.Ordinal).Split(": ") is [var name, var value])
                request.Headers.Add(name, value);
            replicasOf.TryAdd(key, []);
            replicasOf[key].Add(await SendAsync(request));
        }

        Assert.All(replicasOf, pair => Assert.Single(pair.Value));
        Assert.True(replicasOf.SelectMany(pair => pair.Value).Distinct().Count() > 2);
    }

    [Theory]
    [InlineData("header:x-session-id", "/app")]
    [InlineData("query:user", "/app?user=")]
    [InlineData("route:/users/{id}", "/app/others/7")]
    [InlineData("route:/users/{id}", "/app/users")]
    public async Task Http_RequestsWithoutTheKey_AreSpread(string expression, string path)
    {
        await DeployAsync(expression);
        HashSet<string> reached = [];
        for (var i = 0; i < 60; i++)
            reached.Add(await SendAsync(new(HttpMethod.Get, path)));

        Assert.True(reached.Count > 2);
    }

    [Theory]
    [InlineData("""{"a":[1,{"session":"x"}],"user":{"name":"n","session":"KEY"},"z":1}""")]
    [InlineData("""{"user":{"session":["KEY",{"a":2}]}}""")]
    public async Task Http_KeyInTheBody_ReachesOneReplicaWithTheBody(string body)
    {
        await DeployAsync("json:user.session");
        Echo();

        var reached = new HashSet<string>();
        for (var i = 0; i < 20; i++)
        {
            var (replica, echoed) = await PostAsync(body, "application/json");
            Assert.Equal(body, echoed);
            reached.Add(replica);
        }

        Assert.Single(reached);
    }

    [Theory]
    [InlineData("""{"user":""", "application/json")]
    [InlineData("not json", "application/json")]
    [InlineData("", "application/json")]
    [InlineData("""{"user":{"session":null}}""", "application/json")]
    [InlineData("""{"user":7}""", "application/json")]
    [InlineData("""[1]""", "application/json")]
    [InlineData("""{"user":{"session":"a"}}""", "text/plain")]
    public async Task Http_NoKeyInTheBody_BodyArrivesUnchanged(string body, string type)
    {
        await DeployAsync("json:user.session");
        Echo();

        Assert.Equal(body, (await PostAsync(body, type)).Body);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    [InlineData(300_000)]
    public async Task Http_KeyBehindALongField_LongBodyArrivesUnchanged(int length)
    {
        await DeployAsync("json:session");
        Echo();
        var body = $$"""{"padding":"{{new string('p', length)}}","session":"s","more":"{{new string('q', length)}}"}""";

        Assert.Equal(body, (await PostAsync(body, "application/json")).Body);
    }

    private async Task DeployAsync(string key) =>
        await _gateway.Deploy("app", "/app", Replicas).Route("app", new RoutingRule { Policy = RoutingPolicy.ConsistentHash, Key = key }).PublishAsync();

    private void Echo()
    {
        foreach (var id in Replicas.Split(' '))
        {
            _gateway.Local(id).Http = async context =>
            {
                using var reader = new StreamReader(context.Request.Body);
                context.Response.Headers["replica"] = id;
                await context.Response.WriteAsync(await reader.ReadToEndAsync());
            };
        }
    }

    private async Task<(string Replica, string Body)> PostAsync(string body, string type)
    {
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
        using var response = await _gateway.Client.PostAsync(new Uri("/app", UriKind.Relative), content);
        return (response.Headers.TryGetValues("replica", out var replica) ? replica.Single() : "", await response.Content.ReadAsStringAsync());
    }

    private async Task<string> SendAsync(HttpRequestMessage request)
    {
        foreach (var id in Replicas.Split(' '))
            _gateway.Local(id).Http = context => context.Response.WriteAsync(id);
        using var response = await _gateway.Client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }
}
