using Serve.Runtime.Devices;
using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Providers;

/// <summary>Errors of loading models with providers that are not available.</summary>
public sealed class ExecutionProviderTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Theory]
    [InlineData("cuda")]
    [InlineData("tensorrt")]
    public async Task LoadAsync_GpuUnavailable_ErrorListsMissingLibraries(string provider)
    {
        // With a GPU the model loads, and this test does not apply.
        if (GpuDevices.Shared.Read().Count > 0)
            return;
        OnnxTestModel.Doubles().Save(_models.Directory);
        var error = await Assert.ThrowsAsync<InferenceException>(() => _models.Loader.LoadAsync("model.onnx", new OnnxOptions { ExecutionProvider = provider }));

        Assert.Contains($"execution_provider is {provider}", error.Message, StringComparison.Ordinal);
        Assert.Contains("CPUExecutionProvider", error.Message, StringComparison.Ordinal);
        Assert.Contains("libcuda.so.1", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_PlugInMissing_ErrorNamesFile()
    {
        OnnxTestModel.Doubles().Save(_models.Directory);
        var error = await Assert.ThrowsAsync<InferenceException>(() => _models.Loader.LoadAsync(
            "model.onnx", new OnnxOptions { ExecutionProvider = Path.Combine(_models.Directory, "libmine.so") }));

        Assert.Contains($"but the file {Path.Combine(_models.Directory, "libmine.so")} does not exist", error.Message, StringComparison.Ordinal);
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
        Assert.Contains(_models.Log, line => line.Contains("no GPU is available", StringComparison.Ordinal));
    }
}
