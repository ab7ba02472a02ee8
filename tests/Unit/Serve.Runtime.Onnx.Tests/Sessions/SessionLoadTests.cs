using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Sessions;

/// <summary>Properties of loaded models, and errors of models that cannot be loaded.</summary>
public sealed class SessionLoadTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task LoadAsync_Model_HasMetadata()
    {
        using var model = await _models.LoadAsync(new OnnxTestModel("sums").Metadata("labels", "a,b")
            .Input("a", TensorType.Int64, "batch,3").Output("y", TensorType.Int64, "batch,3").Node("Add", ["a", "a"], ["y"]));

        Assert.Equal(Path.Combine(_models.Directory, "model.onnx"), model.Path);
        Assert.Equal("cpu", model.ExecutionProvider);
        var input = Assert.Single(model.Inputs);
        Assert.Equal("a: INT64[-1,3]", input.ToString());
        Assert.Equal(["batch", ""], input.Symbols.ToArray());
        Assert.True(input.HasBatch);
        Assert.Equal("y: INT64[-1,3]", Assert.Single(model.Outputs).ToString());
        Assert.Equal(("sums", "serve-tests", "for tests", 7L), (model.Info.Graph, model.Info.Producer, model.Info.Description, model.Info.Version));
        Assert.Equal("a,b", model.Info.Metadata["labels"]);
        Assert.Contains(_models.Log, line => line.EndsWith("model.onnx runs on cpu", StringComparison.Ordinal));
    }

    [Fact]
    public async Task LoadAsync_MissingFile_ErrorListsFolders()
    {
        var loader = _models.Place(new OnnxLoadContext());
        var error = await Assert.ThrowsAsync<InferenceException>(() => loader.LoadAsync("absent.onnx"));

        Assert.Contains(Path.Combine(_models.Directory, "absent.onnx"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_SeveralFolders_TakesTheFirstAndNamesAll()
    {
        using var other = new OnnxTestModels();
        OnnxTestModel.Doubles().Save(other.Directory, "here.onnx");
        var loader = new OnnxModelLoader(new OnnxLoadContext { Folders = [_models.Directory, other.Directory] }, Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance);

        using (var model = await loader.LoadAsync("here.onnx"))
            Assert.Equal(Path.Combine(other.Directory, "here.onnx"), model.Path);
        var error = await Assert.ThrowsAsync<InferenceException>(() => loader.LoadAsync("absent.onnx"));
        Assert.Contains(_models.Directory, error.Message, StringComparison.Ordinal);
        Assert.Contains(other.Directory, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_NoModel_GivesOnnxRuntimesMessage()
    {
        await File.WriteAllTextAsync(Path.Combine(_models.Directory, "text.onnx"), "this is no model");

        await RefusedAsync("text.onnx", "Protobuf parsing failed");
    }

    [Fact]
    public async Task LoadAsync_OpsetTooNew_GivesOnnxRuntimesMessage()
    {
        new OnnxTestModel(opset: 9999).Input("x", TensorType.Float32, "n").Output("y", TensorType.Float32, "n").Node("Add", ["x", "x"], ["y"]).Save(_models.Directory, "new.onnx");

        await RefusedAsync("new.onnx", "9999");
    }

    [Fact]
    public async Task LoadAsync_ExternalDataMissing_GivesOnnxRuntimesMessage()
    {
        External().Save(_models.Directory, "outside.onnx");

        await RefusedAsync("outside.onnx", "weights.bin");
    }

    [Fact]
    public async Task LoadAsync_AfterAFailure_TriesAnew()
    {
        External().Save(_models.Directory, "outside.onnx");
        await RefusedAsync("outside.onnx", "weights.bin");
        await File.WriteAllBytesAsync(Path.Combine(_models.Directory, "weights.bin"), new byte[8]);

        using var model = await _models.Loader.LoadAsync("outside.onnx");
        using var outputs = await model.RunAsync([("x", Tensor.Of(new[] { 1f, 2f }))]);
        Assert.Equal([1f, 2f], outputs["y"].ToArray<float>());
    }

    [Fact]
    public async Task LoadAsync_InputIsNoTensorOfOurs_IsRefused()
    {
        var sequence = new OnnxFileBytes().Text(1, "x").Message(2, new OnnxFileBytes().Message(4, new OnnxFileBytes().Message(1, new OnnxFileBytes().Message(1, new OnnxFileBytes().Number(1, 1)))));
        new OnnxTestModel().RawInput(sequence).Output("y", TensorType.Int64, "").Node("SequenceLength", ["x"], ["y"]).Save(_models.Directory, "sequence.onnx");

        await RefusedAsync("sequence.onnx", "but is ONNX_TYPE_SEQUENCE");
    }

    [Fact]
    public async Task LoadAsync_InvalidOptions_ReportsAll()
    {
        OnnxTestModel.Doubles().Save(_models.Directory);
        var error = await Assert.ThrowsAsync<DefinitionException>(() => _models.Loader.LoadAsync(
            "model.onnx", new OnnxOptions { Optimization = "most", IntraOpThreads = 0, MaxConcurrentRuns = 0, MemoryLimit = 0, WarmUpRuns = -1 }));

        Assert.Equal(5, error.Errors.Count);
        Assert.Contains("optimization must be one of all, basic, disabled, extended, but was 'most'", error.Errors[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_Options_ReachTheSession()
    {
        foreach (var options in new OnnxOptions[]
        {
            new() { Optimization = "disabled" }, new() { IntraOpThreads = 1 }, new() { SessionConfig = new Dictionary<string, string> { ["session.set_denormal_as_zero"] = "1" } },
        })
        {
            using var model = await _models.LoadAsync(OnnxTestModel.Doubles(), options);
            Assert.Equal([[2f, 2, 2, 2]], await model.RunAsync([[1f, 1, 1, 1]]));
        }

        var error = await Assert.ThrowsAsync<InferenceException>(() => _models.Loader.LoadAsync(
            "model.onnx", new OnnxOptions { SessionConfig = new Dictionary<string, string> { [new string('k', 5000)] = "1" } }));
        Assert.Contains("onnx cannot be loaded: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_WarmUpFails_LoadsAllTheSame()
    {
        // Only length 2 is valid; the warm-up uses length 1.
        using var model = await _models.LoadAsync(new OnnxTestModel().Weights("w", [1, 2, 3, 4], 2, 2)
            .Input("x", TensorType.Float32, "1,n").Output("y", TensorType.Float32, "1,2").Node("MatMul", ["x", "w"], ["y"]));

        Assert.Contains(_models.Log, line => line.Contains("could not be warmed up", StringComparison.Ordinal));
        using var outputs = await model.RunAsync([("x", Tensor.Of(new[] { 1f, 1f }, 1, 2))]);
        Assert.Equal([4f, 6f], outputs["y"].ToArray<float>());
    }

    [Fact]
    public async Task LoadAsync_Cancelled_LeavesNoSession()
    {
        OnnxTestModel.Doubles().Save(_models.Directory);
        using var cancelled = new CancellationTokenSource();
        var loading = _models.Loader.LoadAsync("model.onnx", null, cancelled.Token);
        await cancelled.CancelAsync();

        try
        {
            (await loading).Dispose();
        }
        catch (OperationCanceledException)
        {
            // The file does not exist yet.
        }

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _models.Loader.LoadAsync("model.onnx", null, cancelled.Token));
    }

    private static OnnxTestModel External() => new OnnxTestModel().ExternalWeights("w", "weights.bin", 2)
        .Input("x", TensorType.Float32, "2").Output("y", TensorType.Float32, "2").Node("Add", ["x", "w"], ["y"]);

    private async Task RefusedAsync(string file, string said)
    {
        var error = await Assert.ThrowsAsync<InferenceException>(() => _models.Loader.LoadAsync(file));
        Assert.Contains(file, error.Message, StringComparison.Ordinal);
        Assert.Contains(said, error.Message, StringComparison.Ordinal);
    }
}
