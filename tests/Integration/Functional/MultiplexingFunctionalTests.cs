using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Requests are routed to replicas that have their model loaded, in each isolation mode.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class MultiplexingFunctionalTests(SamplePackageFixture packages)
{
    private const string Loads = "serve_multiplexed_models_load_counter_total";

    private static readonly string[] Animals = ["ape", "bear", "cat", "dog", "emu", "fox"];

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    [InlineData(IsolationMode.Replica)]
    public async Task Requests_EachIsolation_RoutedToLoadedModel(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Zoo, new ApplicationConfig { Name = "zoo", RoutePrefix = "/zoo", ImportPath = "" });
        await RoutedByModelAsync(animal => AskAsync(node, animal));
        var before = await SumAsync(node, Loads);

        var homes = await VisitAsync(animal => AskAsync(node, animal));

        // Six slots for six models: no model was loaded twice.
        Assert.All(homes.Values.CountBy(replica => replica), count => Assert.Equal(3, count.Value));
        Assert.Equal(before + 6, await SumAsync(node, Loads));
        Assert.Equal(before, await SumAsync(node, "serve_multiplexed_models_unload_counter_total"));
        Assert.Equal(6, await SumAsync(node, "serve_num_multiplexed_models"));

        // Handle calls are routed to the same replicas.
        await using var serve = await node.ConnectAsync();
        foreach (var animal in Animals)
            Assert.Equal(homes[animal], (await serve.GetHandle("Zoo").Options(multiplexedModelId: animal).Remote<ZooReply>(2.0)).Replica);
        Assert.Equal(before + 6, await SumAsync(node, Loads));

        await IsolationFunctionalTests.AssertProblemAsync(await node.Gateway.GetAsync("/zoo?x=1"), HttpStatusCode.BadRequest, "bad_input", "serve_multiplexed_model_id");
    }

    [Theory]
    [InlineData(IsolationMode.Application)]
    [InlineData(IsolationMode.Replica)]
    public async Task Handles_FromAnotherProcess_RoutedToLoadedModel(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Keeper, new ApplicationConfig { Name = "keeper", RoutePrefix = "/keeper", ImportPath = "" });
        Task<ZooReply> Ask(string animal) => node.Gateway.GetFromJsonAsync<ZooReply>($"/keeper?animal={animal}")!;
        await RoutedByModelAsync(Ask);
        var before = await SumAsync(node, Loads);

        var homes = await VisitAsync(Ask);

        Assert.All(homes.Values.CountBy(replica => replica), count => Assert.Equal(3, count.Value));
        Assert.Equal(before + 6, await SumAsync(node, Loads));
    }

    [Fact]
    public async Task UserConfig_ModelLimit_AppliedWithoutRestart()
    {
        await using var node = await TestNodeProcess.StartAsync();
        var application = new ApplicationConfig { Name = "zoo", RoutePrefix = "/zoo", ImportPath = "", Deployments = [new() { Name = "Zoo", NumReplicas = 1 }] };
        await node.DeployAsync(packages.Zoo, application);
        foreach (var animal in Animals)
            await AskAsync(node, animal);
        Assert.Equal(3.0, await SumAsync(node, "serve_num_multiplexed_models"));

        await node.DeployAsync(packages.Zoo, application with
        {
            Deployments = [new() { Name = "Zoo", NumReplicas = 1, UserConfig = new() { ["multiplexed"] = new System.Text.Json.Nodes.JsonObject { ["max_models_per_replica"] = 1 } } }],
        });

        await Eventually.TrueAsync(async () => await SumAsync(node, "serve_num_multiplexed_models") == 1, () => "one model is left");
        Assert.Equal(["fox"], (await AskAsync(node, "fox")).Loaded);
    }

    /// <summary>Requests each model five times and checks that its replica does not change.</summary>
    private static async Task<Dictionary<string, string>> VisitAsync(Func<string, Task<ZooReply>> ask)
    {
        Dictionary<string, string> homes = [];
        for (var round = 0; round < 5; round++)
        {
            foreach (var animal in Animals)
            {
                var answer = await ask(animal);
                Assert.Equal(animal, answer.Model);
                homes.TryAdd(animal, answer.Replica);
                Assert.True(homes[animal] == answer.Replica, $"{animal} was at {homes[animal]} and is at {answer.Replica}.");
            }
        }

        return homes;
    }

    /// <summary>Waits until the routers have received the first model reports; before that, requests are not routed by model.</summary>
    private static async Task RoutedByModelAsync(Func<string, Task<ZooReply>> ask)
    {
        HashSet<string> seen = [];
        var first = await ask("first");
        await Eventually.TrueAsync(
            async () =>
            {
                seen.Clear();
                for (var i = 0; i < 8; i++)
                    seen.Add((await ask("first")).Replica);
                return seen.Count == 1;
            },
            () => $"eight requests for one model went to {string.Join(" and ", seen)}");
        Assert.Equal("first", first.Model);
    }

    private static async Task<ZooReply> AskAsync(TestNodeProcess node, string animal)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/zoo?x=2");
        request.Headers.Add("serve_multiplexed_model_id", animal);
        using var response = await node.Gateway.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, text);
        return (await response.Content.ReadFromJsonAsync<ZooReply>())!;
    }

    private static async Task<double> SumAsync(TestNodeProcess node, string metric)
    {
        return (await node.GetAdminTextAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith(metric + "{", StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[^1], CultureInfo.InvariantCulture));
    }

    private sealed record ZooReply(string Model, double Y, string Replica, string[] Loaded);
}
