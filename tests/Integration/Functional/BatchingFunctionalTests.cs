using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Admin;
using Serve.Specs;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The batching sample, by HTTP and by handle, in each isolation mode.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class BatchingFunctionalTests
{
    private const int Callers = 32;

    /// <summary>Calls the sample through its generated handle.</summary>
    private const string Front = """

        [Deployment]
        public sealed class Front(DeploymentHandle<Batcher> batcher)
        {
            public async Task<List<int>> Call(int callers)
            {
                var moods = Enumerable.Range(0, callers).Select(i => batcher.Call.Remote(new Review($"sunny {i}"))).ToList();
                List<int> among = [];
                foreach (var mood in moods)
                    among.Add((await mood).Among);
                return among;
            }

            [HttpGet("/words")]
            public async IAsyncEnumerable<string> Words(string text)
            {
                await foreach (var word in batcher.Words.Stream(text))
                    yield return word;
            }
        }
        """;

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    [InlineData(IsolationMode.Replica)]
    public async Task Sample_EachIsolation_BatchesCalls(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await DeployAsync(node, "Batcher", "");
        await DeployAsync(node, "Front", Front);

        var moods = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async i =>
            (await (await node.Gateway.PostAsJsonAsync("/Batcher", new { text = $"sunny {i}" })).Content.ReadFromJsonAsync<BatcherReply>(ServeJson.Calls))!));
        Assert.All(moods, mood => Assert.Equal("bright", mood.Name));
        Assert.True(moods.Length > moods.Select(mood => 1.0 / mood.Among).Sum(), "every request was a batch of its own");

        var among = JsonSerializer.Deserialize<int[]>(await node.Gateway.GetStringAsync($"/Front?callers={Callers}"))!;
        Assert.Equal(Callers, among.Length);
        Assert.True(among.Sum(size => 1.0 / size) < Callers, "every call was a batch of its own");

        Assert.Equal("""["one","two","three"]""", await node.Gateway.GetStringAsync("/Batcher/words?text=one two three"));
        Assert.Equal("""["one","two","three"]""", await node.Gateway.GetStringAsync("/Front/words?text=one two three"));
        Assert.Equal("3", await node.Gateway.GetStringAsync("/Batcher/square-root/9"));
        await IsolationFunctionalTests.AssertProblemAsync(await node.Gateway.GetAsync("/Batcher/square-root/-1"), HttpStatusCode.BadRequest, "bad_input", "-1 has no real root");

        await using var serve = await node.ConnectAsync();
        var outside = await Task.WhenAll(Enumerable.Range(0, Callers).Select(async i =>
            await serve.GetHandle("Batcher", "Batcher").Remote<BatcherReply>(new { Text = $"rain {i}" })));
        Assert.All(outside, mood => Assert.Equal("dark", mood.Name));
        Assert.True(outside.Length > outside.Select(mood => 1.0 / mood.Among).Sum(), "every call from outside was a batch of its own");
    }

    [Fact]
    public async Task UserConfig_UnknownBatchingKey_SuggestsClosestKey()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await DeployAsync(node, "Batcher", "", new() { Name = "Batcher", UserConfig = new() { ["batching"] = new JsonObject { ["max_batch_sise"] = 8 } } }, ApplicationStatus.DeployFailed);

        var status = (await node.CliAsync("status")).Output;

        Assert.Contains("batching has an unknown key 'max_batch_sise'. Did you mean 'max_batch_size'?", status.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    private static async Task DeployAsync(TestNodeProcess node, string name, string more, DeploymentOptions? options = null, ApplicationStatus until = ApplicationStatus.Running)
    {
        var source = node.Scratch.Write(name + ".cs", File.ReadAllText(Path.Combine(ServeExecutable.Root, "deployments", "Batcher.cs")) + more);
        var package = node.Scratch.In(name + ".zip");
        var (code, _, errors) = await ServeCliProcess.RunAsync(node.Scratch, "build", source, "-o", package);
        Assert.True(code == 0, errors);
        await node.DeployAsync(
            package, new ApplicationConfig { Name = name, RoutePrefix = "/" + name, ImportPath = "", Deployments = options is null ? [] : [options] }, until);
    }

    private sealed record BatcherReply(string Name, int Among);
}
