using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;
using Serve.Routes;

namespace Serve.Replica.Tests.Batching;

public sealed class BatchedHttpTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly string _key = Guid.NewGuid().ToString("n");
    private ReplicaTestHost _replica = null!;

    public async Task InitializeAsync() => _replica = await ReplicaTestHost.StartAsync(typeof(Batched), new() { Args = new() { ["key"] = _key } });

    public async Task DisposeAsync() => await _replica.DisposeAsync();

    [Fact]
    public async Task Call_BodiesOfSeveralRequests_AreOneBatch()
    {
        var answers = await AllAsync(Enumerable.Range(0, 8).Select(i => PostAsync($$"""{"name":"p{{i}}"}""")));

        Assert.Equal(Enumerable.Range(0, 8).Select(i => $$"""{"name":"p{{i}}","among":4}"""), answers);
    }

    [Fact]
    public async Task Call_NoBody_IsBadInputAndNoItem()
    {
        var (status, problem) = await _replica.SendAsync(HttpMethod.Post, "", JsonContent.Create((object?)null));
        var (wrong, _) = await _replica.SendAsync(HttpMethod.Post, "", JsonContent.Create(7));

        Assert.Equal((400, 400), (status, wrong));
        Assert.Contains("pictures", (string)problem!["detail"]!, StringComparison.Ordinal);
        Assert.Equal(4, (await AllAsync(Enumerable.Range(0, 4).Select(i => PostAsync("""{"name":"p"}""")))).Length);
    }

    [Fact]
    public async Task Route_NamesTheList_AndBindsTheItem() =>
        Assert.Equal(["9", "16"], await GetAllAsync("/square/3", "/square/4"));

    [Fact]
    public async Task Attributes_OfParameters_AreTheItems()
    {
        var answers = await AllAsync(new[] { "1", "2" }.Select(async n =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{ReplicaTestHost.Prefix}/join?a=l{n}") { Headers = { { "X-Right", "r" + n } } };
            using var response = await _replica.Client.SendAsync(request);
            return await response.Content.ReadAsStringAsync();
        }));

        Assert.Equal(["l1-r1-True", "l2-r2-True"], answers);
    }

    [Fact]
    public async Task Outcomes_EachCallerHasItsOwn()
    {
        var answers = await AllAsync(new[] { 1, 2, 0 }.Select(n => _replica.SendAsync(HttpMethod.Get, $"/odd/{n}")));

        Assert.Equal([200, 400, 500], answers.Select(answer => answer.Status));
        Assert.Equal("2 is even", (string)answers[1].Body!["detail"]!);
        Assert.Contains("no result", (string)answers[2].Body!["detail"]!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/broken", "cannot do 2")]
    [InlineData("/short", "TooFew returned 1 results for 2 items")]
    public async Task Failure_OfTheWhole_IsEachCallers(string path, string expected)
    {
        var answers = await AllAsync(new[] { 1, 2 }.Select(n => _replica.SendAsync(HttpMethod.Get, $"{path}/{n}")));

        Assert.All(answers, answer => Assert.Equal(500, answer.Status));
        Assert.All(answers, answer => Assert.Contains(expected, (string)answer.Body!["detail"]!, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/broken/1", "/broken/2", "Batch method Broken failed; the exception was returned to 2 callers", "/broken")]
    [InlineData("/busy/1", "/busy/2", "Batch method Busy failed with overloaded, which was returned to 2 callers: all pots are full", "A call of another deployment")]
    [InlineData("/count/20", "/count/21", "Batch method Count failed; the exception was returned to 2 callers", "/count")]
    public async Task Failure_OfTheWhole_IsLoggedOnce(string one, string other, string expected, string notEach)
    {
        TestSignals.Set($"{_key}-third");

        // A stream that fails halfway aborts the connection, possibly before its first byte was sent.
        await AllAsync(new[] { one, other }.Select(path => Record.ExceptionAsync(async () =>
        {
            using var response = await _replica.Client.GetAsync(ReplicaTestHost.Prefix + path);
        })));
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 0);

        Assert.Single(_replica.Log.Split(expected)[1..]);
        Assert.DoesNotContain(notEach, _replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failure_OfAStream_CountsThoseWhoStillRead()
    {
        using var gone = new CancellationTokenSource();
        var reading = new[] { 20, 21 }.Select(from => _replica.Client.GetStringAsync($"{ReplicaTestHost.Prefix}/count/{from}", from == 21 ? gone.Token : default)).ToArray();
        await TestSignals.WaitAsync($"{_key}-counting");
        await gone.CancelAsync();
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 1);

        TestSignals.Set($"{_key}-third");

        await Task.WhenAll(reading).ContinueWith(_ => { }, TaskScheduler.Default);
        await Eventually.TrueAsync(() => _replica.Log.Contains("Batch method Count failed; the exception was returned to 1 callers", StringComparison.Ordinal), () => _replica.Log);
    }

    [Fact]
    public async Task Failure_OfOneItem_IsLoggedForIt()
    {
        await AllAsync(new[] { 1, 2, 0 }.Select(n => _replica.SendAsync(HttpMethod.Get, $"/odd/{n}")));
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 0);

        Assert.Contains("GET /app/odd/0 failed", _replica.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("A batch of", _replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Models_SplitBatches_AndAreVisibleToThem()
    {
        var answers = await AllAsync(new[] { "a", "b", "a", "" }.Select(async model =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"{ReplicaTestHost.Prefix}/model/1");
            if (model.Length > 0)
                request.Headers.Add(WireHeaderNames.MultiplexedModelId, model);
            using var response = await _replica.Client.SendAsync(request);
            return await response.Content.ReadAsStringAsync();
        }));

        Assert.Equal(["a 2", "b 1", "a 2", " 1"], answers);
    }

    [Fact]
    public async Task Sizes_FillABatchAndRefuseWhatIsTooLarge()
    {
        Assert.Equal(["2", "2"], await GetAllAsync("/words/12345", "/words/67890"));

        var (status, problem) = await _replica.SendAsync(HttpMethod.Get, "/words/12345678901");

        Assert.Equal(400, status);
        Assert.Contains("but was 11", (string)problem!["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_EachCallerReadsItsOwn_AndEndsForItself()
    {
        TestSignals.Set($"{_key}-third");

        var answers = await GetAllAsync("/count/2", "/count/4");

        Assert.Equal(["[2,1,0]", "[4,3,2,1,0]"], answers);
        await TestSignals.WaitAsync($"{_key}-ended");
    }

    [Fact]
    public async Task Stream_AllCallersCanceled_IsStopped()
    {
        using var gone = new CancellationTokenSource();
        var reading = new[] { "9", "8" }.Select(async from =>
        {
            using var response = await _replica.Client.GetAsync($"{ReplicaTestHost.Prefix}/count/{from}", HttpCompletionOption.ResponseHeadersRead, gone.Token);
            Assert.Equal(200, (int)response.StatusCode);
            await response.Content.ReadAsStringAsync(gone.Token);
        }).ToArray();
        await TestSignals.WaitAsync($"{_key}-counting");
        Assert.Equal(2, _replica.Context.Gate.Ongoing);

        await gone.CancelAsync();

        await TestSignals.WaitAsync($"{_key}-ended");
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 0);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading[0]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading[1]);
    }

    [Fact]
    public async Task Blocking_RunsOnADedicatedThread() => Assert.Equal(["serve blocking"], await GetAllAsync("/thread/1"));

    [Fact]
    public async Task Batches_AtOnce_TakeTurns() =>
        Assert.All(await GetAllAsync([.. Enumerable.Range(0, 24).Select(i => $"/inside/{i}")]), seen => Assert.Equal("1", seen));

    [Fact]
    public async Task Waiting_HoldsNoTurn()
    {
        var waiting = _replica.GetAsync("/square/5");
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 1);

        Assert.Equal(4, (await AllAsync(Enumerable.Range(0, 4).Select(i => PostAsync("""{"name":"p"}""")))).Length);
        Assert.False(waiting.IsCompleted);
        Assert.Equal(["36"], await GetAllAsync("/square/6"));
        Assert.Equal("25", await waiting.WaitAsync(Limit));
    }

    [Fact]
    public async Task Clients_AllDisconnected_CancelTheBatch()
    {
        using var gone = new CancellationTokenSource();
        var requests = new[] { 1, 2 }.Select(n => _replica.Client.GetStringAsync($"{ReplicaTestHost.Prefix}/hang/{n}", gone.Token)).ToArray();
        await TestSignals.WaitAsync($"{_key}-hanging");

        await gone.CancelAsync();

        await TestSignals.WaitAsync($"{_key}-released");
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 0);
    }

    [Fact]
    public async Task UserConfig_Batching_TakesEffectWhileItRuns()
    {
        await ReconfigureAsync("""{"batching": {"batch_wait_timeout_s": 0, "Square": {"max_batch_size": 1, "batch_wait_timeout_s": "1h"}}}""");
        Assert.Equal("""{"name":"p","among":1}""", await PostAsync("""{"name":"p"}""").WaitAsync(Limit));
        Assert.Equal(["49"], await GetAllAsync("/square/7"));

        await ReconfigureAsync(null);
        var answers = await AllAsync(Enumerable.Range(0, 4).Select(i => PostAsync("""{"name":"p"}""")));
        Assert.All(answers, answer => Assert.Equal("""{"name":"p","among":4}""", answer));
        Assert.DoesNotContain("no Reconfigure", _replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task UserConfig_OfOneMethod_IsItsAlone()
    {
        await ReconfigureAsync("""{"batching": {"Square": {"max_batch_size": 1}}}""");

        Assert.Equal(["49"], await GetAllAsync("/square/7"));
        var answers = await AllAsync(Enumerable.Range(0, 4).Select(i => PostAsync("""{"name":"p"}""")));
        Assert.All(answers, answer => Assert.Equal("""{"name":"p","among":4}""", answer));
    }

    [Fact]
    public async Task Dispose_Replica_EndsWhatWaits()
    {
        var waiting = _replica.SendAsync(HttpMethod.Get, "/square/5");
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 1);

        await _replica.DisposeInstanceAsync();

        await Record.ExceptionAsync(() => waiting.WaitAsync(Limit));
        Assert.True(waiting.IsCompleted);
    }

    [Fact]
    public async Task UserConfig_WrongBatching_TellsAllByName()
    {
        var error = await Assert.ThrowsAsync<BadInputException>(() => ReconfigureAsync(
            """{"batching": {"max_batch_sze": 3, "adaptive": 1, "Square": {"max_batch_size": 0}, "Call": 7}}"""));

        foreach (var expected in new[] { "batching has an unknown key 'max_batch_sze'. Did you mean 'max_batch_size'?", "batching.adaptive must be", "batching.Square.max_batch_size must be", "batching.Call must be" })
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        Assert.Equal(4, error.Message.Split('\n').Length);
    }

    [Fact]
    public async Task Limit_BelowABatch_IsWarnedOf()
    {
        await ReconfigureAsync(null, maxOngoingRequests: 3);

        Assert.Contains("Batches of Call can never be full: max_ongoing_requests is 3, but a batch may have 4 items", _replica.Log, StringComparison.Ordinal);
        Assert.DoesNotContain("batches of Square", _replica.Log, StringComparison.Ordinal);
    }

    private static async Task<T[]> AllAsync<T>(IEnumerable<Task<T>> requests) => await Task.WhenAll(requests.ToArray()).WaitAsync(Limit);

    private Task<string[]> GetAllAsync(params string[] paths) => AllAsync(paths.Select(_replica.GetAsync));

    private async Task<string> PostAsync(string json)
    {
        using var content = new StringContent(json, System.Text.Encoding.UTF8, "application/json");
        using var response = await _replica.Client.PostAsync(ReplicaTestHost.Prefix, content);
        return await response.Content.ReadAsStringAsync();
    }

    private Task ReconfigureAsync(string? config, int maxOngoingRequests = 100) =>
        _replica.ReconfigureAsync(config is null ? null : (JsonObject)JsonNode.Parse(config)!, maxOngoingRequests: maxOngoingRequests);
}
