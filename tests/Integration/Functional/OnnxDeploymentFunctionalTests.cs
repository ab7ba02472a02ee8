using System.Net;
using System.Net.Http.Json;
using Serve.Testing;

namespace Serve.FunctionalTests;

/// <summary>The sample with a model as a constructor parameter, by HTTP and by handle, in each isolation mode.</summary>
[Collection(FunctionalTestCollection.Name)]
public sealed class OnnxDeploymentFunctionalTests(SamplePackageFixture packages)
{
    private static readonly string Model = Path.Combine(ServeExecutable.Root, "deployments", "models", "digits.onnx");

    private static readonly float[] Three =
    [
        0, 1, 10, 13, 16, 10, 1, 0,
        1, 5, 16, 12, 10, 14, 10, 0,
        2, 0, 0, 3, 4, 14, 9, 2,
        0, 1, 2, 16, 16, 16, 0, 0,
        0, 0, 2, 4, 9, 14, 9, 2,
        0, 4, 8, 5, 4, 16, 10, 1,
        0, 7, 16, 16, 15, 15, 1, 0,
        0, 0, 1, 2, 4, 5, 0, 0,
    ];

    [Theory]
    [InlineData(IsolationMode.None)]
    [InlineData(IsolationMode.Application)]
    [InlineData(IsolationMode.Replica)]
    public async Task Digits_EachIsolation_ClassifiesByHttpAndHandle(IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(packages.Digits, Application(Model));

        var answer = await node.Gateway.PostAsJsonAsync("/Digits", Three);
        Assert.Equal("3", await answer.Content.ReadAsStringAsync());
        Assert.Contains("pixels: FP32[-1,64]", await node.Gateway.GetStringAsync("/Digits/model"), StringComparison.Ordinal);
        await IsolationFunctionalTests.AssertProblemAsync(
            await node.Gateway.PostAsJsonAsync("/Digits", new float[63]), HttpStatusCode.BadRequest, "bad_input", "The item has 63 elements, but the input pixels: FP32[-1,64] requires 64 per item.");

        await using var serve = await node.ConnectAsync();
        Assert.Equal(3, await serve.GetHandle("Digits").Remote<long>([Three]));
    }

    [Theory]
    [InlineData(IsolationMode.None, false)]
    [InlineData(IsolationMode.Application, true)]
    public async Task Rollout_NewCodeInTheSameProcessUnderLoad_ModelIsNotLoadedAgain(IsolationMode isolation, bool reuseWorker)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        var application = Application(Model) with { ReuseWorker = reuseWorker };
        await node.DeployAsync(packages.Digits, application);
        await using var load = new RequestLoadGenerator(node, 2, "/Digits/model");
        await load.WaitForAnswersAsync(20);

        await node.DeployAsync(packages.DigitsTwo, application);
        await Eventually.TrueAsync(() => load.Last?.Contains("\"version\":2", StringComparison.Ordinal) is true, () => $"the new code answers, not {load.Last}");
        await load.WaitForAnswersAsync(20);
        await load.StopAsync();

        Assert.Empty(load.Failures);
        var loads = (await node.GetAdminTextAsync("/metrics")).Split('\n').Where(line => line.StartsWith("serve_onnx_session_load_seconds_count", StringComparison.Ordinal));
        Assert.EndsWith(" 1", Assert.Single(loads), StringComparison.Ordinal);
        Assert.Equal(reuseWorker ? 1 : 0, (await node.GetWorkerPidsAsync()).Count);
    }

    [Fact]
    public async Task Digits_MissingModel_DeployFailsAndNamesPath()
    {
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.None);
        await node.DeployAsync(packages.Digits, Application("models/absent.onnx"), until: null);

        var found = await node.WaitForStatusAsync(Serve.Admin.ApplicationStatus.DeployFailed, "digits", TimeSpan.FromSeconds(60));
        Assert.Contains("models/absent.onnx", found.Message, StringComparison.Ordinal);
    }

    private static Serve.Specs.ApplicationConfig Application(string model) => new()
    {
        Name = "digits",
        RoutePrefix = "/Digits",
        ImportPath = "",
        Args = new() { ["model_path"] = model },
    };
}
