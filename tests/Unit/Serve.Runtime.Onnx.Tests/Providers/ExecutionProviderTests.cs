using Serve.Runtime.Devices;
using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Providers;

/// <summary>What loading says about providers that this machine has not.</summary>
public sealed class ExecutionProviderTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData("cuda")]
    [InlineData("tensorrt")]
    public async Task LoadAsync_GpuWhereThereIsNone_SaysWhatWasLookedFor(string provider)
    {
        // Where there is one it loads, and this test has nothing to say.
        if (GpuDevices.Shared.Read().Count > 0)
            return;
        OnnxTestModel.Doubles().Save(_models.Directory);
        var error = await Assert.ThrowsAsync<InferenceException>(() => _models.Loader.LoadAsync("model.onnx", new OnnxOptions { ExecutionProvider = provider }));

        Assert.Contains($"execution_provider is {provider}", error.Message, StringComparison.Ordinal);
        Assert.Contains("CPUExecutionProvider", error.Message, StringComparison.Ordinal);
        Assert.Contains("libcuda.so.1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_PlugInIsMissing_SaysWhichFile()
    {
        OnnxTestModel.Doubles().Save(_models.Directory);
        var error = await Assert.ThrowsAsync<InferenceException>(() => _models.Loader.LoadAsync(
            "model.onnx", new OnnxOptions { ExecutionProvider = Path.Combine(_models.Directory, "libmine.so") }));

        Assert.Contains($"there is no file {Path.Combine(_models.Directory, "libmine.so")}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_PlugInIsNoLibrary_GivesOnnxRuntimesMessage()
    {
        OnnxTestModel.Doubles().Save(_models.Directory);
        var library = Path.Combine(_models.Directory, "libmine.so");
        await File.WriteAllTextAsync(library, "no library");

        var error = await Assert.ThrowsAsync<InferenceException>(() => _models.Loader.LoadAsync("model.onnx", new OnnxOptions { ExecutionProvider = library }));
        Assert.Contains("libmine.so", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_AutoWithADevice_RunsOnTheCpuAndLogsWhy()
    {
        OnnxTestModel.Doubles().Save(_models.Directory);
        using var model = await _models.Place(new OnnxLoadContext { GpuIds = [0], NumGpus = 1 }).LoadAsync("model.onnx");

        Assert.Equal("cpu", model.ExecutionProvider);
        Assert.Contains(_models.Log, line => line.Contains("there is no GPU to run on", StringComparison.Ordinal));
    }
}
