using System.Net;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Routing policies, deadlines and priorities of requests to replicas in workers.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class RoutingFunctionalTests(SamplePackageFixture packages)
{
    [Fact]
    public async Task ConsistentHash_RequestsWithTheSameKey_ReachOneReplica()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Replica);
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 3, RequestRouterConfig = new() { Policy = RoutingPolicy.ConsistentHash, Key = "header:x-session-id" } });
        await node.WaitForReplicasAsync(3);

        var reached = new Dictionary<string, HashSet<string>>();
        for (var i = 0; i < 60; i++)
        {
            var key = $"session {i % 20}";
            using var request = new HttpRequestMessage(HttpMethod.Get, "/lab/who") { Headers = { { "x-session-id", key } } };
            using var response = await node.Gateway.SendAsync(request);
            reached.TryAdd(key, []);
            reached[key].Add(await response.Content.ReadAsStringAsync());
        }

        Assert.All(reached.Values, replicas => Assert.Single(replicas));
        Assert.Equal(3, reached.Values.SelectMany(replicas => replicas).Distinct().Count());
    }

    [Fact]
    public async Task Timeout_OfTheClient_EndsTheRequestInTheWorker()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(packages.Lab);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/lab/slow?ms=60000") { Headers = { { "Serve-Timeout-Ms", "300" } } };

        using var response = await node.Gateway.SendAsync(request);

        await IsolationFunctionalTests.AssertProblemAsync(response, HttpStatusCode.RequestTimeout, "timeout", "Serve-Timeout-Ms");
    }
}
