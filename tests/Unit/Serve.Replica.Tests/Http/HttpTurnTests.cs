using System.Net.Http.Json;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class HttpTurnTests
{
    private readonly string _key = Guid.NewGuid().ToString("n");

    [Fact]
    public async Task Requests_Concurrent_LoseNoUpdate()
    {
        await using var replica = await StartAsync();

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => replica.GetAsync("/count")));

        Assert.Equal("510", await replica.GetAsync("/count"));
    }

    [Fact]
    public async Task Request_ThatAwaits_LetsAnotherIn()
    {
        await using var replica = await StartAsync();

        var first = replica.GetAsync("/first");
        await TestSignals.WaitAsync($"{_key}-first-inside");

        Assert.Equal("second", await replica.GetAsync("/second"));
        Assert.Equal("first", await first);
    }

    [Fact]
    public async Task Requests_WithBodies_RunUserCodeOneAtATime()
    {
        await using var replica = await StartAsync();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
        {
            using var response = await replica.Client.PostAsJsonAsync("/app/body", new { values = new[] { 1, 2 } });
            return await response.Content.ReadAsStringAsync();
        }));

        Assert.All(answers, answer => Assert.Equal("2", answer));
    }

    [Fact]
    public async Task Blocking_Method_StaysOffThePool()
    {
        await using var replica = await StartAsync();

        Assert.Equal("[false,false]", await replica.GetAsync("/blocking"));
        Assert.Equal("true", await replica.GetAsync("/plain"));
    }

    [Fact]
    public async Task Parallel_Mode_RunsSideBySide()
    {
        await using var replica = await StartAsync(ConcurrencyMode.Parallel);

        var both = await Task.WhenAll(replica.GetAsync("/rendezvous?number=0"), replica.GetAsync("/rendezvous?number=1"));

        Assert.Equal(["true", "true"], both);
    }

    private Task<ReplicaTestHost> StartAsync(ConcurrencyMode mode = ConcurrencyMode.TurnBased) =>
        ReplicaTestHost.StartAsync(typeof(Turns), new() { Args = new() { ["key"] = _key }, Concurrency = mode });
}
