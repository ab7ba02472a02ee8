using System.Reflection;
using System.Text.Json.Nodes;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;
using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Replica.Tests.Activation;

/// <summary>Injection of models as constructor parameters: configuration of their files, and errors when it is missing.</summary>
public sealed class ModelInjectionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("serve-models-").FullName;
    private readonly string _path;

    public ModelInjectionTests() => _path = OnnxTestModel.Doubles().Save(_folder, "doubles.onnx");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Constructor_ModelPathInArgs_IsLoadedAndRuns()
    {
        await using var replica = await StartAsync(args: new() { ["model_path"] = _path });

        Assert.Equal("42", await replica.GetAsync("?x=21"));
        Assert.Equal("""{"path":"doubles.onnx","on":"cpu","second":null,"third":null,"mode":null}""", await replica.GetAsync("/about"));
        Assert.Contains($"{_path} runs on cpu", replica.Log, StringComparison.Ordinal);

        // The replica has device 2, and this build of ONNX Runtime has no provider for it.
        Assert.Contains("no GPU is available", replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constructor_SeveralModels_EachByItsParametersName()
    {
        await using var replica = await StartAsync(args: new() { ["model_path"] = _path, ["secondPath"] = OnnxTestModel.Doubles("n,5").Save(_folder, "second.onnx"), ["third"] = _path });

        Assert.Equal("""{"path":"doubles.onnx","on":"cpu","second":"second.onnx","third":"doubles.onnx","mode":null}""", await replica.GetAsync("/about"));
    }

    [Fact]
    public async Task Constructor_ModelInUserConfig_IsTakenAndTheHookDoesNotSeeIt()
    {
        await using var replica = await StartAsync(config: new()
        {
            ["model"] = new JsonObject { ["path"] = _path, ["execution_provider"] = "cpu", ["intra_op_threads"] = 1, ["provider_options"] = new JsonObject { ["a"] = "b" } },
            ["mode"] = "fast",
        });

        Assert.Equal("42", await replica.GetAsync("?x=21"));
        Assert.Contains("\"mode\":\"fast\"", await replica.GetAsync("/about"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reconfigure_AnotherModel_IsForTheNextStartAndSaidSo()
    {
        JsonObject Config(string model, string mode) => new() { ["modelPath"] = model, ["mode"] = mode };
        await using var replica = await StartAsync(config: Config(_path, "slow"));
        await replica.ReconfigureAsync(Config(_path, "fast"));
        Assert.DoesNotContain("another model_path", replica.Log, StringComparison.Ordinal);

        await replica.ReconfigureAsync(Config(Path.Combine(_folder, "other.onnx"), "faster"));

        Assert.Contains("user_config.model_path has changed; the new model is loaded when the replica restarts", replica.Log, StringComparison.Ordinal);
        Assert.Equal("42", await replica.GetAsync("?x=21"));
        Assert.Contains("\"mode\":\"faster\"", await replica.GetAsync("/about"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constructor_OptionWithoutValue_HasItsDefault()
    {
        await using var replica = await StartAsync(args: new() { ["model"] = new JsonObject { ["path"] = _path, ["execution_provider"] = null, ["optimization"] = null } });

        Assert.Equal("42", await replica.GetAsync("?x=21"));
    }

    [Fact]
    public async Task Constructor_PathIsRelative_IsLookedForInThePackageThenInTheWorkingDirectory()
    {
        var error = await Assert.ThrowsAsync<InferenceException>(() => StartAsync(args: new() { ["model_path"] = "absent/model.onnx" }));

        Assert.Contains(Path.Combine(AppContext.BaseDirectory, "absent/model.onnx"), error.Message, StringComparison.Ordinal);
        Assert.Contains(Path.GetFullPath("absent/model.onnx"), error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constructor_NoModelConfigured_ErrorNamesTheKeys()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() => StartAsync());

        Assert.Contains("Constructor parameter 'model' of Doubler is a model, but no model is configured. Set model_path: FILE.onnx", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constructor_InvalidModelSettings_ReportsAll()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() => StartAsync(args: new()
        {
            ["model"] = new JsonObject { ["path"] = _path, ["intra_op_thread"] = 1, ["speed"] = 1 },
            ["second"] = new JsonObject { ["path"] = _path, ["intra_op_threads"] = "many" },
        }));

        Assert.Equal(3, error.Errors.Count);
        Assert.Contains("args: model has an unknown key 'intra_op_thread' (did you mean 'intra_op_threads'?)", error.Errors[0], StringComparison.Ordinal);
        Assert.Contains("unknown key 'speed'. Known keys are path, execution_provider", error.Errors[1], StringComparison.Ordinal);
        Assert.Contains("args: second cannot be read", error.Errors[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constructor_PathAndObject_AreOneTooMany()
    {
        var error = await Assert.ThrowsAsync<DefinitionException>(() => StartAsync(args: new() { ["model"] = _path, ["model_path"] = _path }));

        Assert.Contains("both model_path and model", Assert.Single(error.Errors), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Constructor_NotAModel_FailsTheStartWithOnnxRuntimesMessage()
    {
        await File.WriteAllTextAsync(_path, "no model");
        var error = await Assert.ThrowsAsync<InferenceException>(() => StartAsync(args: new() { ["model_path"] = _path }));

        Assert.Contains("Protobuf parsing failed", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Request_InputDoesNotFit_IsBadInput()
    {
        await using var replica = await StartAsync(args: new() { ["model_path"] = OnnxTestModel.Doubles("n,5").Save(_folder, "five.onnx") });

        var (status, body) = await replica.SendAsync(HttpMethod.Get, "?x=1");
        Assert.Equal(400, status);
        Assert.Contains("Input 'x' must be x: FP32[-1,5], where -1 is any length, but has the shape [1,4]", (string)body!["detail"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dispose_Replica_DisposesItsModels()
    {
        OnnxModel model;
        await using (var replica = await StartAsync(args: new() { ["model_path"] = _path }))
        {
            var target = replica.Instance.Target!;
            model = target.GetType().GetFields(BindingFlags.Instance | BindingFlags.NonPublic).Select(field => field.GetValue(target)).OfType<OnnxModel>().Single();
            (await model.RunAsync([("x", Tensor.Of(new float[4], 1, 4))])).Dispose();
        }

        await Assert.ThrowsAsync<ObjectDisposedException>(() => model.RunAsync([("x", Tensor.Of(new float[4], 1, 4))]).AsTask());
    }

    private static Task<ReplicaTestHost> StartAsync(JsonObject? args = null, JsonObject? config = null) =>
        ReplicaTestHost.StartAsync(typeof(Doubler), new() { Args = args, UserConfig = config });
}
