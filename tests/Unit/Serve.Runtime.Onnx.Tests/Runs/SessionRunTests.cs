using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Runs;

/// <summary>Inputs and outputs of runs.</summary>
public sealed class SessionRunTests : IDisposable
{
    private readonly OnnxTestModels _models = new();

    public static TheoryData<Tensor> EveryType => new()
    {
        Tensor.Of(new[] { true, false }, 1, 2),
        Tensor.Of(new byte[] { 1, 255 }, 1, 2),
        Tensor.Of(new ushort[] { 1, 65535 }, 1, 2),
        Tensor.Of(new uint[] { 1, uint.MaxValue }, 1, 2),
        Tensor.Of(new ulong[] { 1, ulong.MaxValue }, 1, 2),
        Tensor.Of(new sbyte[] { 1, -128 }, 1, 2),
        Tensor.Of(new short[] { 1, -32768 }, 1, 2),
        Tensor.Of(new[] { 1, int.MinValue }, 1, 2),
        Tensor.Of(new[] { 1, long.MinValue }, 1, 2),
        Tensor.Of(new[] { (Half)1.5, Half.MaxValue }, 1, 2),
        Tensor.Of(new[] { (BFloat16)1.5f, (BFloat16)3e38f }, 1, 2),
        Tensor.Of(new[] { 1.5f, float.MaxValue }, 1, 2),
        Tensor.Of(new[] { 1.5, double.MaxValue }, 1, 2),
        Tensor.Of(new[] { "äöü", "" }, 1, 2),
    };

    public void Dispose() => _models.Dispose();

    [Theory]
    [MemberData(nameof(EveryType), DisableDiscoveryEnumeration = true)]
    public async Task RunAsync_EachType_ComesBackAsItWent(Tensor tensor)
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Copies(tensor.Type));

        // The first run uses memory of ONNX Runtime, the next ones use bound memory.
        for (var run = 0; run < 3; run++)
        {
            using var outputs = await model.RunAsync([("x", tensor)]);
            var came = outputs["y"];
            Assert.Equal(tensor.Type, came.Type);
            Assert.Equal(tensor.Shape.ToArray(), came.Shape.ToArray());
            if (tensor.Type == TensorType.String)
                Assert.Equal(tensor.ToArray<string>(), came.ToArray<string>());
            else
                Assert.Equal(tensor.Bytes.ToArray(), came.Bytes.ToArray());
        }
    }

    [Theory]
    [MemberData(nameof(EveryType), DisableDiscoveryEnumeration = true)]
    public async Task RunAsync_OutputIsAnInput_ReturnsACopyOfTheRequestsTensor(Tensor tensor)
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Copies(tensor.Type).Output("x", tensor.Type, "n,2"));

        // The first run uses memory of ONNX Runtime, the next ones use bound memory.
        for (var run = 0; run < 3; run++)
        {
            foreach (var requested in new string[]?[] { null, ["x"], ["y", "x"] })
            {
                using var outputs = await model.RunAsync([("x", tensor)], requested);
                Assert.Equal(requested ?? ["y", "x"], outputs.Select(output => output.Name));
                foreach (var (_, result) in outputs)
                {
                    Assert.Equal(tensor.Shape.ToArray(), result.Shape.ToArray());
                    if (tensor.Type == TensorType.String)
                        Assert.Equal(tensor.ToArray<string>(), result.ToArray<string>());
                    else
                        Assert.Equal(tensor.Bytes.ToArray(), result.Bytes.ToArray());
                    if (tensor.Type != TensorType.String)
                        Assert.False(tensor.Bytes.Overlaps(result.Bytes));
                }
            }
        }
    }

    /// <summary>Outputs that ONNX Runtime might take from elsewhere than a node's result: memory that is bound for them must be written all the same.</summary>
    [Theory]
    [InlineData("initializer")]
    [InlineData("Identity")]
    [InlineData("Flatten")]
    [InlineData("Dropout")]
    [InlineData("Identity of an initializer")]
    public async Task RunAsync_OutputThatNeedsNoComputation_IsWritten(string kind)
    {
        var graph = new OnnxTestModel().Input("x", TensorType.Float32, "n,2").Weights("w", [7, 8], 1, 2).Output("y", TensorType.Float32, "n,2").Node("Relu", ["x"], ["y"]);
        var name = kind == "initializer" ? "w" : "z";
        if (kind != "initializer")
            graph.Node(kind.Split(' ')[0], [kind.EndsWith("initializer", StringComparison.Ordinal) ? "w" : "x"], ["z"]);
        using var model = await _models.LoadAsync(graph.Output(name, TensorType.Float32, "m,2"));

        for (var run = 1; run <= 4; run++)
        {
            using var outputs = await model.RunAsync([("x", Tensor.Of(new float[] { run, -run }, 1, 2))]);
            Assert.Equal([run, 0f], outputs["y"].ToArray<float>());
            Assert.Equal(kind.EndsWith("initializer", StringComparison.Ordinal) ? [7, 8] : [run, -run], outputs[name].ToArray<float>());
        }
    }

    [Fact]
    public async Task RunAsync_ShapesThatChange_EachGivesItsOwn()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());

        foreach (var rows in new[] { 1, 3, 1, 200, 3, 0, 1 })
        {
            var data = Enumerable.Range(0, rows * 4).Select(each => (float)each).ToArray();
            using var outputs = await model.RunAsync([("x", Tensor.Of(data, rows, 4))]);
            Assert.Equal([rows, 4], outputs["y"].Shape.ToArray());
            Assert.Equal(data.Select(each => each * 2), outputs["y"].ToArray<float>());
        }
    }

    [Fact]
    public async Task RunAsync_ShapeDependsOnValues_IsFoundEachTime()
    {
        using var model = await _models.LoadAsync(new OnnxTestModel()
            .Input("x", TensorType.Float32, "n").Output("y", TensorType.Int64, "1,m").Node("NonZero", ["x"], ["y"]));

        foreach (var values in new float[][] { [1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 0, 0] })
        {
            using var outputs = await model.RunAsync([("x", Tensor.Of(values))]);
            Assert.Equal(values.Select((value, place) => (value, (long)place)).Where(each => each.value != 0).Select(each => each.Item2), outputs["y"].ToArray<long>());
        }
    }

    [Fact]
    public async Task RunAsync_Scalars_KeepNoDimension()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Copies(TensorType.Float32, ""));

        for (var run = 0; run < 3; run++)
        {
            using var outputs = await model.RunAsync([("x", Tensor.Scalar(run + 0.5f))]);
            Assert.Equal(0, outputs["y"].Shape.Length);
            Assert.Equal([run + 0.5f], outputs["y"].ToArray<float>());
        }
    }

    [Fact]
    public async Task RunAsync_OutputsKept_AreNotOverwrittenByLaterRuns()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());
        var kept = new List<ModelOutputs>();

        for (var run = 0; run < 10; run++)
            kept.Add(await model.RunAsync([("x", Tensor.Of(new float[] { run, run, run, run }, 1, 4))]));

        Assert.Equal(Enumerable.Range(0, 10).Select(run => run * 2f), kept.Select(outputs => outputs["y"].ToArray<float>()[3]));
    }

    [Fact]
    public async Task RunAsync_OutputsGivenBack_TheNextRunHasTheirMemory()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());
        (await RunAsync(model, 1)).Dispose();
        var first = await RunAsync(model, 1);
        var memory = first["y"].Data<float>();
        first.Dispose();

        using var second = await RunAsync(model, 2);
        Assert.Equal(memory, second["y"].Data<float>());
        using var third = await RunAsync(model, 3);
        Assert.NotEqual(memory, third["y"].Data<float>());
    }

    [Fact]
    public async Task RunAsync_OutputsForgotten_TensorsStayWhatTheyAre()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles(), new OnnxOptions { WarmUpRuns = 0 });

        // The first run uses memory of ONNX Runtime.
        var tensors = new List<Tensor>();
        for (var run = 0; run < 50; run++)
            tensors.Add(await ForgetfulAsync(model, run));
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        for (var run = 100; run < 150; run++)
            (await RunAsync(model, run)).Dispose();

        Assert.Equal(Enumerable.Range(0, 50).Select(run => run * 2f), tensors.Select(tensor => tensor.ToArray<float>()[0]));

        static async Task<Tensor> ForgetfulAsync(OnnxModel model, int value) => (await RunAsync(model, value))["y"];
    }

    [Fact]
    public async Task RunAsync_SomeOutputs_GivesThoseInTheOrderAskedFor()
    {
        using var model = await _models.LoadAsync(new OnnxTestModel().Input("x", TensorType.Float32, "n")
            .Output("a", TensorType.Float32, "n").Output("b", TensorType.Float32, "n").Output("c", TensorType.Float32, "n")
            .Node("Add", ["x", "x"], ["a"]).Node("Mul", ["x", "x"], ["b"]).Node("Neg", ["x"], ["c"]));

        for (var run = 0; run < 3; run++)
        {
            using var two = await model.RunAsync([("x", Tensor.Of(new[] { 3f }))], ["c", "a"]);
            Assert.Equal(["c", "a"], two.Select(output => output.Name));
            Assert.Equal([-3f, 6f], two.Select(output => output.Tensor.ToArray<float>()[0]));
            using var all = await model.RunAsync([("x", Tensor.Of(new[] { 3f }))]);
            Assert.Equal(["a", "b", "c"], all.Select(output => output.Name));
            using var one = await model.RunAsync([("x", Tensor.Of(new[] { 3f }))], ["b"]);
            Assert.Equal(9f, Assert.Single(one).Tensor.ToArray<float>()[0]);
        }
    }

    [Fact]
    public async Task RunAsync_SeveralInputs_AreTakenInAnyOrder()
    {
        using var model = await _models.LoadAsync(new OnnxTestModel().Input("a", TensorType.Float32, "n").Input("b", TensorType.Float32, "n")
            .Output("y", TensorType.Float32, "n").Node("Sub", ["a", "b"], ["y"]));

        using var outputs = await model.RunAsync([("b", Tensor.Of(new[] { 1f })), ("a", Tensor.Of(new[] { 5f }))]);
        Assert.Equal([4f], outputs["y"].ToArray<float>());
    }

    [Fact]
    public async Task RunAsync_Items_AreJoinedAndTakenApart()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());

        Assert.Equal([[2, 4, 6, 8], [10, 12, 14, 16]], await model.RunAsync([[1f, 2, 3, 4], [5f, 6, 7, 8]]));
    }

    [Fact]
    public async Task RunAsync_MemoryOfAnotherKind_GoesInAsItLies()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());
        var bytes = new byte[5 * 4];
        BitConverter.TryWriteBytes(bytes.AsSpan(16), 21f);

        using var outputs = await model.RunAsync([("x", Tensor.FromBytes(TensorType.Float32, bytes.AsMemory(4), 1, 4))]);
        Assert.Equal([0, 0, 0, 42], outputs["y"].ToArray<float>());
    }

    private static ValueTask<ModelOutputs> RunAsync(OnnxModel model, float value) => model.RunAsync([("x", Tensor.Of(new[] { value, value, value, value }, 1, 4))]);
}
