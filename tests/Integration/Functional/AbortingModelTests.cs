using System.Net;
using System.Net.Http.Json;
using Serve.Runtime.Onnx.Tests.Fixtures;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>Models at which ONNX Runtime ends its process without an exception: they fail, and the node goes on.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class AbortingModelTests
{
    [Theory]
    [InlineData(1, "x[1,1]")]
    [InlineData(2, "x[2,2]")]
    public async Task Deploy_IsolationNone_FailsAndNamesTheInputs(int rows, string inputs)
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        var path = Save(node, rows);

        var (code, output, errors) = await node.CliAsync("deploy", path);

        Assert.NotEqual(0, code);
        Assert.Contains("model.onnx ends the process that loads or runs it, with signal 6.", output + errors, StringComparison.Ordinal);
        Assert.Contains($"(zeros as inputs: {inputs})", output + errors, StringComparison.Ordinal);
        Assert.False(node.Process.HasExited);
        Assert.Equal(HttpStatusCode.OK, (await node.Gateway.GetAsync("/-/healthz")).StatusCode);
    }

    [Fact]
    public async Task Infer_IsolationApplication_EndsItsWorkerOnly()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Application);
        var path = Save(node, 2);
        var (code, output, errors) = await node.CliAsync("deploy", path);
        Assert.True(code == 0, output + errors);

        Assert.Equal(HttpStatusCode.BadGateway, (await InferAsync(node, 2)).StatusCode);

        var status = "";
        await Eventually.TrueAsync(
            async () => (status = (await node.CliAsync("status", "--json")).Output).Contains("terminate called", StringComparison.Ordinal), () => status);
        await node.WaitForReplicasAsync(1, name: "abort");
        Assert.Equal(HttpStatusCode.OK, (await InferAsync(node, 1)).StatusCode);
        Assert.False(node.Process.HasExited);
    }

    private static string Save(TestNodeProcess node, int rows) =>
        (rows == 1 ? OnnxTestModel.AbortsAtOneRow() : OnnxTestModel.AbortsAtTwoRows()).Save(node.Scratch.Path, "abort.onnx");

    private static Task<HttpResponseMessage> InferAsync(TestNodeProcess node, int rows) => node.Gateway.PostAsJsonAsync(
        "/v2/models/abort/infer", new { inputs = new[] { new { name = "x", shape = new[] { rows, 2 }, datatype = "FP32", data = new float[2 * rows] } } });
}
