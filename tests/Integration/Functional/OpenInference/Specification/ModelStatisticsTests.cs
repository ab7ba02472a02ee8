using System.Net;
using Grpc.Core;

namespace Serve.FunctionalTests.OpenInference.Specification;

/// <summary>Triton's extension_statistics.md.</summary>
public sealed class ModelStatisticsTests(InferenceTestNode node) : SpecificationChapter(node)
{
    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Statistics_NoModelGiven_CoverAllVersions(ProtocolTransport transport)
    {
        var models = (await By(transport).CountAsync()).Select(each => $"{each.Name} {each.Version}").ToArray();
        foreach (var model in new[] { "attention", "digits", "text", "types" })
            Assert.Contains($"{model} 1", models);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Statistics_ModelGiven_CoverItsVersions(ProtocolTransport transport)
    {
        Assert.Equal("digits 1", (await By(transport).CountAsync("digits")).Select(each => $"{each.Name} {each.Version}").Single());
        Assert.Equal("digits 1", (await By(transport).CountAsync("digits", "1")).Select(each => $"{each.Name} {each.Version}").Single());
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task UnknownModelOrVersion_NotFound(ProtocolTransport transport)
    {
        await RefusedAsync(StatusCode.NotFound, "Unknown model 'nothing'", () => By(transport).CountAsync("nothing"));
        await RefusedAsync(StatusCode.NotFound, "has no version '9'. Available versions: 1", () => By(transport).CountAsync("digits", "9"));
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Counts_RequestsInferencesExecutionsAndBatches(ProtocolTransport transport)
    {
        var model = "counted-" + transport.ToString().ToLowerInvariant();
        await DeployAsync(model);
        Assert.Equal(new(model, "1", 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ""), (await By(transport).CountAsync(model)).Single());
        var started = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
        var pixels = InferenceSamples.Three[1..^1];
        await By(transport).InferAsync(model, [Pixels]);
        await By(transport).InferAsync(model, [Pixels]);
        await By(transport).InferAsync(model, [Pixels with { Shape = "[3,64]", Data = $"[{pixels},{pixels},{pixels}]" }]);
        await Assert.ThrowsAsync<ProtocolErrorException>(() => By(transport).InferAsync(model, [Pixels with { Name = "wrong" }]));

        var counts = (await By(transport).CountAsync(model)).Single();

        // Three requests with five items in three runs: two with one item and one with three. The refused request was not run.
        Assert.Equal(new(model, "1", 0, 5, 3, 3, 1, 3, 3, 3, 3, 0, "1:2:2:2 3:1:1:1"), counts with { LastInference = 0 });
        Assert.InRange(counts.LastInference, started - 1000, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() + 1000);
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Counts_SeveralReplicas_AreSummed(ProtocolTransport transport)
    {
        var model = "spread-" + transport.ToString().ToLowerInvariant();
        await DeployAsync(model);
        await Node.Node.Admin.ScaleAsync(new(model, model), 3);
        await Node.Node.WaitForReplicasAsync(3, name: model);
        for (var request = 0; request < 30; request++)
            await By(transport).InferAsync(model, [Pixels]);
        Assert.Equal((30, 30), (await By(transport).CountAsync(model)).Select(each => (each.Inferences, each.Success)).Single());
    }

    [Fact]
    public async Task Rest_Statistics_HaveMembersOfExtension()
    {
        var model = Assert.Single((await Node.GetAsync("/v2/models/types/stats"))["model_stats"]!.AsArray())!.AsObject();
        Assert.Equal(
            ["name", "version", "last_inference", "inference_count", "execution_count", "inference_stats", "batch_stats"], model.Select(member => member.Key));
        Assert.Equal(
            ["success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss"],
            model["inference_stats"]!.AsObject().Select(member => member.Key));
        Assert.Equal(["count", "ns"], model["inference_stats"]!["success"]!.AsObject().Select(member => member.Key));
    }

    [Fact]
    public async Task Rest_Failed_ReturnsError() =>
        Assert.NotEmpty((string)(await Node.GetAsync("/v2/models/digits/versions/9/stats", HttpStatusCode.NotFound))["error"]!);
}
