using System.Net;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class HttpCallTests
{
    [Fact]
    public async Task Call_AtThePrefix_CountsOn()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter));

        Assert.Equal("""{"count":1}""", await replica.GetAsync());
        Assert.Equal("""{"count":2}""", await replica.GetAsync());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("patch")]
    public async Task Call_MethodsOfCalls_Answers(string method)
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter));

        var (status, body) = await replica.SendAsync(new HttpMethod(method));

        Assert.Equal(200, status);
        Assert.Equal(1, (int)body!["count"]!);
    }

    [Theory]
    [InlineData("OPTIONS")]
    [InlineData("PROPFIND")]
    [InlineData("TRACE")]
    public async Task Call_OtherHttpMethod_IsNotAllowedAndDoesNotRun(string method)
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter));

        using var request = new HttpRequestMessage(new HttpMethod(method), ReplicaTestHost.Prefix);
        using var response = await replica.Client.SendAsync(request);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], response.Content.Headers.Allow.Order(Comparer<string>.Create((a, b) => Order(a) - Order(b))));
        Assert.Equal("""{"count":1}""", await replica.GetAsync());

        static int Order(string method) => Array.IndexOf(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"], method);
    }

    [Fact]
    public async Task Call_Head_RunsWithoutABody()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter));

        var (status, body) = await replica.SendAsync(HttpMethod.Head);

        Assert.Equal(200, status);
        Assert.Null(body);
        Assert.Equal("""{"count":2}""", await replica.GetAsync());
    }

    [Fact]
    public async Task Call_WithTrailingSlash_Answers()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter));

        Assert.Equal("""{"count":1}""", await replica.GetAsync("/"));
    }

    [Fact]
    public async Task Call_BelowThePrefix_IsNoSuchRoute()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter));

        var (status, body) = await replica.SendAsync(HttpMethod.Get, "/below");

        Assert.Equal((int)HttpStatusCode.NotFound, status);
        Assert.Equal("no_such_route", (string)body!["reason"]!);
        Assert.Contains("'/below'", (string)body["detail"]!, StringComparison.Ordinal);
        Assert.Contains("GET|HEAD|POST|PUT|PATCH|DELETE /", (string)body["detail"]!, StringComparison.Ordinal);
    }
}
