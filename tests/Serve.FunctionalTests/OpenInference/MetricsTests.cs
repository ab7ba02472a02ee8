namespace Serve.FunctionalTests.OpenInference;

/// <summary>The documents have every metric that a node with models shows.</summary>
[Collection(InferenceCollection.Name)]
public sealed class MetricsTests(InferenceNode node)
{
    [Fact]
    public async Task Metrics_EachFamily_StandsInTheDocumentsOnce()
    {
        await node.PostAsync("/v2/models/digits/infer", Samples.DigitsRequest);
        using var admin = new HttpClient { BaseAddress = new Uri(node.Node.AdminAddress) };
        var shown = (await admin.GetStringAsync("/metrics")).Split('\n')
            .Where(line => line.StartsWith("# TYPE serve_", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]).Distinct().ToList();
        Assert.Contains("serve_onnx_run_seconds", shown);
        Assert.Contains("serve_num_http_requests_total", shown);

        var documents = await File.ReadAllTextAsync(InferenceNode.Document("options.md")) + await File.ReadAllTextAsync(InferenceNode.Document("inference.md"));
        Assert.Equal([], shown.FindAll(name => documents.Split('`' + name + '`').Length != 2));
    }
}
