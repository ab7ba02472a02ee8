using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Activation;

public sealed class DeploymentBaseClassTests
{
    // The batch would wait for an hour if it were not full.
    [Fact]
    public async Task PrivateMethodsOfABaseClass_SayHowLargeAnItemIsAndLoadModels()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Heir));

        Assert.Equal(["ab+c", "ab+c"], await Task.WhenAll(replica.GetAsync("/words/ab"), replica.GetAsync("/words/c")).WaitAsync(TimeSpan.FromSeconds(30)));
        using var request = new HttpRequestMessage(HttpMethod.Get, ReplicaTestHost.Prefix);
        request.Headers.Add("serve_multiplexed_model_id", "lion");
        using var response = await replica.Client.SendAsync(request);
        Assert.Equal("Heir's lion", await response.Content.ReadAsStringAsync());
    }
}
