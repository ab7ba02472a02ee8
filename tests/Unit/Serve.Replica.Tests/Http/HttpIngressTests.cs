using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class HttpIngressTests
{
    [Fact]
    public async Task Map_GroupsFiltersAndTypedResults_Work()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Routed));

        using var found = await replica.Client.GetAsync("/app/v2/models/digits");
        using var missing = await replica.Client.GetAsync("/app/v2/models/none");

        Assert.Equal("\"digits 1\"", await found.Content.ReadAsStringAsync());
        Assert.Equal("yes", Assert.Single(found.Headers.GetValues("X-Filtered")));
        Assert.Equal(404, (int)missing.StatusCode);
        Assert.Equal("", await missing.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Map_EndpointThatStreams_Streams()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Routed));

        Assert.Equal("[1,2]", await replica.GetAsync("/v2/numbers"));
    }

    [Fact]
    public async Task Map_OtherPath_IsNoSuchRoute()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Routed));

        var (status, body) = await replica.SendAsync(HttpMethod.Get, "/v1");

        Assert.Equal(404, status);
        Assert.Equal("no_such_route", (string)body!["reason"]!);
    }

    [Fact]
    public async Task Map_BatchedMethod_FailsTheStart()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() => ReplicaTestHost.StartAsync(typeof(RoutedBatch)));

        Assert.Contains("RoutedBatch.Square has [Batch] and cannot be mapped to HTTP: GET /v1/squares/{x}", error.Message, StringComparison.Ordinal);
        Assert.Contains("through a handle", error.Message, StringComparison.Ordinal);
    }
}
