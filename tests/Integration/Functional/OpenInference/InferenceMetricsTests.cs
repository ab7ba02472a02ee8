namespace Serve.FunctionalTests.OpenInference;

/// <summary>Every metric of a node with models is documented.</summary>
[Collection(InferenceTestCollection.Name)]
public sealed class InferenceMetricsTests(InferenceTestNode node)
{
    [Fact]
    public async Task Metrics_EachFamily_IsDocumentedOnce()
    {
        await node.PostAsync("/v2/models/digits/infer", InferenceSamples.DigitsRequest);
        var shown = (await node.Node.GetAdminTextAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith("# TYPE serve_", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]).Distinct().ToList();
        Assert.Contains("serve_onnx_run_seconds", shown);
        Assert.Contains("serve_num_http_requests_total", shown);

        var documents = await File.ReadAllTextAsync(InferenceTestNode.Document("options.md")) + await File.ReadAllTextAsync(InferenceTestNode.Document("inference.md"));
        Assert.Equal([], shown.FindAll(name => documents.Split('`' + name + '`').Length != 2));
    }
}
