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
    public async Task Call_AnyHttpMethod_Answers(string method)
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Counter));

        var (status, body) = await replica.SendAsync(new HttpMethod(method));

        Assert.Equal(200, status);
        Assert.Equal(1, (int)body!["count"]!);
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
        Assert.Contains("any method /", (string)body["detail"]!, StringComparison.Ordinal);
    }
}
