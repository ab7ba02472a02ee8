using Serve.Runtime.Onnx.Sessions;
using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Sessions;

/// <summary>Equal models share a session, which is disposed with the last of them.</summary>
public sealed class SessionSharingTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task LoadAsync_EqualContent_IsOneSessionWhateverItsName()
    {
        using var one = await _models.LoadAsync(Unique(1), name: "one.onnx");
        using var two = await _models.LoadAsync(Unique(1), name: "two.onnx");
        using var other = await _models.LoadAsync(Unique(2), name: "other.onnx");

        Assert.Same(SessionOf(one), SessionOf(two));
        Assert.NotSame(SessionOf(one), SessionOf(other));
        Assert.EndsWith("two.onnx", two.Path, StringComparison.Ordinal);
    }

    [Fact]
    public async Task LoadAsync_OtherOptions_IsAnotherSession()
    {
        using var plain = await _models.LoadAsync(Unique(3));
        using var same = await _models.LoadAsync(Unique(3), new OnnxOptions());
        using var threads = await _models.LoadAsync(Unique(3), new OnnxOptions { IntraOpThreads = 1 });
        using var runs = await _models.LoadAsync(Unique(3), new OnnxOptions { MaxConcurrentRuns = 1 });
        using var config = await _models.LoadAsync(Unique(3), new OnnxOptions { SessionConfig = new Dictionary<string, string> { ["session.set_denormal_as_zero"] = "1" } });

        Assert.Same(SessionOf(plain), SessionOf(same));
        Assert.Equal(4, new[] { plain, threads, runs, config }.Select(SessionOf).Distinct().Count());
    }

    [Fact]
    public async Task LoadAsync_ManyAtATime_LoadOnce()
    {
        Unique(4).Save(_models.Directory);
        var loaded = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _models.Loader.LoadAsync("model.onnx")));

        Assert.Single(loaded.Select(SessionOf).Distinct());
        foreach (var model in loaded)
            model.Dispose();
    }

    [Fact]
    public async Task LoadAsync_FileReplaced_IsAnotherSession()
    {
        using var before = await _models.LoadAsync(Unique(5));
        using var after = await _models.LoadAsync(Unique(6));

        Assert.NotSame(SessionOf(before), SessionOf(after));
        Assert.Equal(5f, await ValueAsync(before));
        Assert.Equal(6f, await ValueAsync(after));
    }

    [Fact]
    public async Task LoadAsync_EqualExternalDataInAnotherFolder_IsOneSession()
    {
        OnnxModel[] loaded = [await LoadAsync("v1", 3f), await LoadAsync("v2", 3f), await LoadAsync("v3", 4f)];

        Assert.Same(SessionOf(loaded[0]), SessionOf(loaded[1]));
        Assert.NotSame(SessionOf(loaded[0]), SessionOf(loaded[2]));
        Assert.Equal((3f, 4f), (await ValueAsync(loaded[1]), await ValueAsync(loaded[2])));
        foreach (var model in loaded)
            model.Dispose();

        async Task<OnnxModel> LoadAsync(string folder, float weight)
        {
            var directory = Directory.CreateDirectory(Path.Combine(_models.Directory, folder)).FullName;
            new OnnxTestModel().ExternalWeights("w", "weights.bin", 1)
                .Input("x", TensorType.Float32, "1").Output("y", TensorType.Float32, "1").Node("Add", ["x", "w"], ["y"]).Save(directory);
            await File.WriteAllBytesAsync(Path.Combine(directory, "weights.bin"), BitConverter.GetBytes(weight));
            return await _models.Loader.LoadAsync(Path.Combine(folder, "model.onnx"));
        }
    }

    [Fact]
    public async Task LoadAsync_ExternalDataReplaced_IsAnotherSession()
    {
        new OnnxTestModel().ExternalWeights("w", "weights.bin", 1)
            .Input("x", TensorType.Float32, "1").Output("y", TensorType.Float32, "1").Node("Add", ["x", "w"], ["y"]).Save(_models.Directory);
        await File.WriteAllBytesAsync(Path.Combine(_models.Directory, "weights.bin"), BitConverter.GetBytes(1f));
        using var before = await _models.Loader.LoadAsync("model.onnx");

        // Replaced rather than overwritten: ONNX Runtime maps the file.
        File.Delete(Path.Combine(_models.Directory, "weights.bin"));
        await File.WriteAllBytesAsync(Path.Combine(_models.Directory, "weights.bin"), BitConverter.GetBytes(2f));
        File.SetLastWriteTimeUtc(Path.Combine(_models.Directory, "weights.bin"), new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        using var after = await _models.Loader.LoadAsync("model.onnx");

        Assert.Equal(1f, await ValueAsync(before));
        Assert.Equal(2f, await ValueAsync(after));
    }

    [Fact]
    public async Task Dispose_LastOfItsEquals_EndsTheSession()
    {
        var one = await _models.LoadAsync(Unique(7));
        var two = await _models.LoadAsync(Unique(7));
        var session = SessionOf(one);

        one.Dispose();
        one.Dispose();
        Assert.Equal(7f, await ValueAsync(two));
        two.Dispose();

        using var again = await _models.LoadAsync(Unique(7));
        Assert.NotSame(session, SessionOf(again));
    }

    [Fact]
    public async Task RunAsync_Disposed_Throws()
    {
        var model = await _models.LoadAsync(Unique(8));
        model.Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => ValueAsync(model));
    }

    [Fact]
    public async Task Forgotten_Model_GivesItsShareBack()
    {
        var session = await ForgetAsync();
        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return IsAnotherAsync().GetAwaiter().GetResult();
        });

        async Task<WeakReference> ForgetAsync() => new(SessionOf(await _models.LoadAsync(Unique(9))));

        async Task<bool> IsAnotherAsync()
        {
            using var again = await _models.LoadAsync(Unique(9));
            return session.Target != SessionOf(again);
        }
    }

    // y = x + number.
    private static OnnxTestModel Unique(float number) => new OnnxTestModel().Weights("w", [number], 1)
        .Input("x", TensorType.Float32, "1").Output("y", TensorType.Float32, "1").Node("Add", ["x", "w"], ["y"]);

    private static async Task<float> ValueAsync(OnnxModel model)
    {
        using var outputs = await model.RunAsync([("x", Tensor.Of(new float[1]))]);
        return outputs["y"].Data<float>().Span[0];
    }

    private static object SessionOf(OnnxModel model) => ((SharedSessionModel)model).Session;
}
