using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests;

/// <summary>The probe's own process is replaced by a shell script that ends in the tested way.</summary>
public sealed class OnnxModelProbeTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    private string File
    {
        get
        {
            var path = Path.Combine(_models.Directory, "model.onnx");
            if (!System.IO.File.Exists(path))
                System.IO.File.WriteAllText(path, "model");
            return path;
        }
    }

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task CheckAsync_ProcessIsEndedByASignal_ThrowsWithItsOutput()
    {
        var probe = Probe("read line; echo 'free(): invalid pointer' >&2; kill -ABRT $$");

        var error = await Assert.ThrowsAsync<InferenceException>(() => probe.CheckAsync(File, new(), new(), CancellationToken.None));

        Assert.Contains("model.onnx ends the process that loads or runs it, with signal 6", error.Message, StringComparison.Ordinal);
        Assert.Contains("invalid pointer", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task CheckAsync_ProcessExits_PassesAndIsRemembered(int code)
    {
        var runs = Path.Combine(_models.Directory, "runs");
        var probe = Probe($"read line; echo run >> '{runs}'; exit {code}");

        await probe.CheckAsync(File, new(), new(), CancellationToken.None);
        await probe.CheckAsync(File, new(), new(), CancellationToken.None);
        Assert.Single(await System.IO.File.ReadAllLinesAsync(runs));

        await probe.CheckAsync(File, new() { Optimization = "basic" }, new(), CancellationToken.None);
        Assert.Equal(2, (await System.IO.File.ReadAllLinesAsync(runs)).Length);
    }

    [Fact]
    public async Task LoadAsync_ProbeFails_TheModelIsNotLoaded()
    {
        new OnnxTestModel().Save(_models.Directory, "model.onnx");
        var loader = _models.Place(new() { Probe = Probe("kill -ABRT $$") });

        Assert.Contains("signal 6", (await Assert.ThrowsAsync<InferenceException>(() => loader.LoadAsync("model.onnx"))).Message, StringComparison.Ordinal);
    }

    private static OnnxModelProbe Probe(string script) => new(["sh", "-c", script]);
}
