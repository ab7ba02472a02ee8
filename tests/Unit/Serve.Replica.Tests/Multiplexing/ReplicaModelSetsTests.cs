using System.Text.Json.Nodes;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Multiplexing;

public sealed class ReplicaModelSetsTests
{
    [Fact]
    public async Task Get_OfTheRequestsModel_LoadsItAndKeepsItUntilItsPlaceIsNeeded()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        foreach (var model in (string[])["a", "b", "a", "c"])
            Assert.Equal(model, await AskAsync(replica, model));

        Assert.Equal("+a +b -b +c", await replica.GetAsync("/events"));
    }

    [Fact]
    public async Task Get_RequestNamesNoModel_IsBadInput()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));

        var (status, body) = await replica.SendAsync(HttpMethod.Get);

        Assert.Equal((400, "bad_input"), (status, (string)body!["reason"]!));
        Assert.Contains("serve_multiplexed_model_id", (string)body["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_LoadThrowsBadInput_IsTheClientsToKnow()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));

        var (status, body) = await replica.SendAsync(HttpMethod.Get, "/named/bad");

        Assert.Equal((400, "There is no model 'bad'."), (status, (string)body!["detail"]!));
    }

    [Fact]
    public async Task Get_ManyWantAModelWhileItIsLoaded_OneLoad()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        var model = $"held-{Guid.NewGuid():n}";

        var answers = await AskTogetherAsync(replica, model);

        Assert.All(answers, answer => Assert.Equal((200, model), (answer.Status, answer.Text)));
        Assert.Equal($"+{model}", await replica.GetAsync("/events"));
    }

    [Fact]
    public async Task Get_LoadThrows_AllWaitersFailAndNextRetries()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        var model = $"held-{Guid.NewGuid():n}-not at first";

        var answers = await AskTogetherAsync(replica, model);

        Assert.All(answers, answer => Assert.Equal((500, true), (answer.Status, answer.Text.Contains("There is no file.", StringComparison.Ordinal))));
        Assert.Equal($"+{model}", await replica.GetAsync("/events"));
        Assert.Equal(model, await replica.GetAsync($"/named/{model}"));
        Assert.Equal($"+{model} +{model}", await replica.GetAsync("/events"));
        Assert.Contains($"Loading model {model} failed", replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Get_GrpcMetadata_NamesTheModelToo()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        using var request = new HttpRequestMessage(HttpMethod.Post, ReplicaTestHost.Prefix) { Content = new ByteArrayContent([]) };
        request.Content.Headers.ContentType = new("application/grpc");
        request.Headers.Add("multiplexed_model_id", "m");

        Assert.Equal("m", await (await replica.Client.SendAsync(request)).Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Get_WhileTheRequestStreams_TheModelStays()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        var key = Guid.NewGuid().ToString("n");
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{ReplicaTestHost.Prefix}/stream?signal={key}");
        request.Headers.Add("serve_multiplexed_model_id", "s");
        using var response = await replica.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        foreach (var model in (string[])["x", "y", "z"])
            await AskAsync(replica, model);

        TestSignals.Set(key);

        Assert.Equal("""["s True","s True"]""", await response.Content.ReadAsStringAsync());
        // Its use ends with the stream, so it is the most recently used one.
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 0);
        await AskAsync(replica, "y");
        await AskAsync(replica, "w");
        Assert.Equal("+s +x -x +y -y +z -z +y -s +w", await replica.GetAsync("/events"));
    }

    [Fact]
    public async Task Get_TwoInOneRequest_BothStay()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));

        Assert.Equal("a True b True", await replica.GetAsync("/two?first=a&second=b"));
        Assert.Equal("c True a True", await replica.GetAsync("/two?first=c&second=a"));
    }

    [Fact]
    public async Task Get_TwoModelsAndOneSlot_FailsInsteadOfDeadlock()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        Assert.Equal("a b", await replica.GetAsync("/together?first=a&second=b"));
        await ReconfigureAsync(replica, """{"multiplexed":{"max_models_per_replica":1}}""");

        var (status, body) = await replica.SendAsync(HttpMethod.Get, "/together?first=c&second=d").WaitAsync(TimeSpan.FromSeconds(30));

        Assert.True(status == 500, $"{status} {body}");
        Assert.Contains("Model 'd' cannot be loaded: all 1 model slots", (string)body!["detail"]!, StringComparison.Ordinal);
        Assert.Equal("d", await AskAsync(replica, "d"));
    }

    [Fact]
    public async Task Get_InABatch_EndsWithIt()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        foreach (var model in (string[])["a", "b", "c"])
            Assert.Equal(model, await replica.GetAsync($"/batch/{model}").WaitAsync(TimeSpan.FromSeconds(10)));

        Assert.Equal("+a +b -a +c", await replica.GetAsync("/events"));
    }

    [Fact]
    public async Task Get_InABatchThatStreams_EndsWithIt()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        foreach (var model in (string[])["a", "b", "c"])
            Assert.Equal($"[\"{model}\"]", await replica.GetAsync($"/batch-stream/{model}").WaitAsync(TimeSpan.FromSeconds(10)));

        Assert.Equal("+a +b -a +c", await replica.GetAsync("/events"));
    }

    [Fact]
    public async Task Acquire_Disposed_ItsPlaceIsFree()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        for (var i = 0; i < 5; i++)
            Assert.EndsWith($"m{i} m{i}", await replica.GetAsync($"/lease?id=m{i}"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ByNameOrOverHttp_IsNotThere()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));

        Assert.DoesNotContain("Load", replica.Instance.Methods.Names);
        Assert.Equal(404, (await replica.SendAsync(HttpMethod.Get, "/load")).Status);
    }

    [Fact]
    public async Task DisposeAsync_Replica_UnloadsItsModels()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        var model = Guid.NewGuid().ToString("n");
        await AskAsync(replica, model);

        await replica.DisposeInstanceAsync();

        await TestSignals.WaitAsync($"disposed {model}");
        Assert.Contains($"Model {model} unloaded in", replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconfigure_Limit_IsThePlatformsOwn()
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));
        await ReconfigureAsync(replica, """{"multiplexed":{"max_models_per_replica":1}}""");
        foreach (var model in (string[])["a", "b"])
            await AskAsync(replica, model);
        Assert.Equal("+a -a +b", await replica.GetAsync("/events"));

        // Removed, the value of the attribute applies.
        await ReconfigureAsync(replica, "null");
        await AskAsync(replica, "c");
        Assert.Equal("+a -a +b +c", await replica.GetAsync("/events"));
        Assert.DoesNotContain("has no Reconfigure", replica.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"multiplexed":5}""", "must be an object like")]
    [InlineData("""{"multiplexed":{"max_models":5}}""", "has an unknown key 'max_models'")]
    [InlineData("""{"multiplexed":{"max_models_per_replica":0}}""", "must be an integer of at least 1, or -1 for no limit, but was 0")]
    [InlineData("""{"multiplexed":{"max_models_per_replica":-2}}""", "but was -2")]
    [InlineData("""{"multiplexed":{"max_models_per_replica":"5"}}""", "but was \"5\"")]
    public async Task Reconfigure_LimitThatCannotBeRead_IsAnError(string config, string error)
    {
        await using var replica = await ReplicaTestHost.StartAsync(typeof(Models));

        var thrown = await Assert.ThrowsAsync<BadInputException>(() => ReconfigureAsync(replica, config));

        Assert.Contains(error, thrown.Message, StringComparison.Ordinal);
    }

    private static async Task<string> AskAsync(ReplicaTestHost replica, string model)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, ReplicaTestHost.Prefix);
        request.Headers.Add("serve_multiplexed_model_id", model);
        using var response = await replica.Client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }

    // Its load completes when all callers have requested it.
    private static async Task<(int Status, string Text)[]> AskTogetherAsync(ReplicaTestHost replica, string model)
    {
        var requests = Enumerable.Range(0, 8).Select(_ => replica.Client.GetAsync($"{ReplicaTestHost.Prefix}/named/{model}")).ToList();
        await Eventually.TrueAsync(async () => await replica.GetAsync("/asked") == "8");
        TestSignals.Set(model);
        return await Task.WhenAll(requests.Select(async request =>
        {
            using var response = await request;
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
        }));
    }

    private static Task ReconfigureAsync(ReplicaTestHost replica, string config) => replica.ReconfigureAsync((JsonObject?)JsonNode.Parse(config));
}
