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
        using var probe = Probe("read line; echo 'free(): invalid pointer' >&2; kill -ABRT $$");

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
        using var probe = Probe($"read line; echo run >> '{runs}'; exit {code}");

        await probe.CheckAsync(File, new(), new(), CancellationToken.None);
        await probe.CheckAsync(File, new(), new(), CancellationToken.None);
        Assert.Single(await System.IO.File.ReadAllLinesAsync(runs));

        await probe.CheckAsync(File, new() { Optimization = "basic" }, new(), CancellationToken.None);
        Assert.Equal(2, (await System.IO.File.ReadAllLinesAsync(runs)).Length);
    }

    [Fact]
    public async Task CheckAsync_ManyModels_RunsAsManyProcessesAsCpus()
    {
        var log = Path.Combine(_models.Directory, "log");
        using var probe = Probe($"read line; echo + >> '{log}'; sleep 0.05; echo - >> '{log}'");
        var limit = Math.Max(2, Environment.ProcessorCount);
        var files = Enumerable.Range(0, 3 * limit).Select(number => Path.Combine(_models.Directory, $"{number}.onnx")).ToArray();
        foreach (var file in files)
            await System.IO.File.WriteAllTextAsync(file, "model");

        await Task.WhenAll(files.Select(file => probe.CheckAsync(file, new(), new(), CancellationToken.None)));

        var (now, most) = (0, 0);
        foreach (var line in await System.IO.File.ReadAllLinesAsync(log))
            most = Math.Max(most, now += line == "+" ? 1 : -1);
        Assert.InRange(most, 1, limit);
        Assert.Equal(0, now);
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
