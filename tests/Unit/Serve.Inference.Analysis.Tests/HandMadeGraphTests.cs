namespace Serve.Inference.Analysis.Tests;

/// <summary>Hand-written graphs for the rules that random graphs rarely reach. For proven graphs, a joined run in ONNX Runtime must equal the separate runs.</summary>
public sealed class HandMadeGraphTests
{
    private const string Microsoft = "com.microsoft";
    private const string Ml = "ai.onnx.ml";

    public static TheoryData<string, RowIndependenceVerdict> Graphs
    {
        get
        {
            var data = new TheoryData<string, RowIndependenceVerdict>();
            foreach (var (name, graph) in Cases)
                data.Add(name, graph.Expected);
            return data;
        }
    }

    private static Dictionary<string, (RowIndependenceVerdict Expected, int Opset, Func<OnnxGraphBuilder, string> Build)> Cases { get; } = new()
    {
        ["relu"] = Proven(g => g.Node("Relu", [g.Input("x", 3)])),
        ["rows in different order meet"] = Refuted(g => Reshape(g, g.Node("Add", [Reshape(g, g.Input("x", 3), -1), Reshape(g, Turn(g, "x"), -1)]), -1, 3)),
        ["transposed, flattened and back"] = Proven(g => Turn(g, Reshape(g, g.Node("Relu", [Reshape(g, Turn(g, g.Input("x", 3)), -1)]), 3, -1))),
        ["transposed, flattened and back the wrong way"] = Unknown(g =>
            Reshape(g, g.Node("Softmax", [Reshape(g, Turn(g, g.Input("x", 3)), -1, 1)], ("axis", 1L)), -1, 3)),
        ["rows of different multiples meet"] = Unknown(g =>
            g.Node("ReduceSum", [Reshape(g, g.Node("Add", [Reshape(g, g.Input("x", 2), -1, 1), g.Node("ReduceMean", ["x"], ("axes", Axes(1)), ("keepdims", 1L))]), -1, 2), g.Ints(1)])),
        ["reshape whose rest is not whole"] = Unknown(g => Reshape(g, g.Node("Softmax", [Reshape(g, g.Input("x", 3), -1, 2)], ("axis", 1L)), -1, 3)),
        ["reshape whose rest is whole"] = Proven(g => Reshape(g, g.Node("Softmax", [Reshape(g, g.Input("x", 4), -1, 2)], ("axis", 1L)), -1, 4)),
        ["gram matrix"] = Refuted(g => g.Node("MatMul", [g.Input("x", 3), Turn(g, "x")])),
        ["gram matrix times x"] = Refuted(g => g.Node("MatMul", [g.Node("MatMul", [g.Input("x", 3), Turn(g, "x")]), "x"])),
        ["covariance"] = Refuted(g => g.Node("MatMul", [g.Input("x", 3), g.Node("MatMul", [Turn(g, "x"), "x"])])),
        ["rows as steps of an LSTM"] = Refuted(g =>
            g.Squeeze(g.Nodes("LSTM", "", [g.Input("x", 3, 2), g.Weights(1, 8, 2), g.Weights(1, 8, 2)], 1, ("hidden_size", 2L))[0], 1)),
        ["batch-first LSTM by transposing"] = Proven(g => Turn(g, g.Squeeze(
            g.Nodes("LSTM", "", [Turn(g, g.Input("x", 3, 2), 1, 0, 2), g.Weights(1, 8, 2), g.Weights(1, 8, 2)], 1, ("hidden_size", 2L))[0], 1), 1, 0, 2)),
        ["last state of an LSTM as it is"] = Refuted(g =>
            g.Nodes("LSTM", "", [Turn(g, g.Input("x", 3, 2), 1, 0, 2), g.Weights(1, 8, 2), g.Weights(1, 8, 2)], 2, ("hidden_size", 2L))[1]),
        ["sorts the rows"] = Refuted(g => g.Nodes("TopK", "", [g.Input("x", 3), g.Ints(1)], 2, ("axis", 0L))[0]),
        ["adds a row vector of rows"] = Refuted(g => g.Node("Add", [g.Input("x", 3), g.Input("y")])),
        ["adds a column of rows"] = Proven(g => g.Node("Add", [g.Input("x", 3), g.Input("y", 1)])),
        ["adds a constant of one row"] = Proven(g => g.Node("Add", [g.Input("x", 3), g.Weights(1, 3)])),
        ["adds a constant of two rows"] = Unknown(g => g.Node("Add", [g.Input("x", 3), g.Weights(2, 3)])),
        ["mean of a constant without broadcasting (opset 7)"] = Unknown(g => g.Node("Mean", [g.Input("x", 3), g.Weights(1, 3)]), opset: 7),
        ["first row subtracted"] = Refuted(g => g.Node("Sub", [g.Input("x", 3), g.Node("Gather", ["x", g.Ints(0)], ("axis", 0L))])),
        ["last row subtracted"] = Refuted(g => g.Node("Sub", [g.Input("x", 3), g.Node("Slice", ["x", g.Ints(-1), g.Ints(long.MaxValue), g.Ints(0)])])),
        ["whole slice of the rows"] = Proven(g => g.Node("Slice", [g.Input("x", 3), g.Ints(0), g.Ints(long.MaxValue), g.Ints(0)])),
        ["rows reversed"] = Refuted(g => g.Node("Slice", [g.Input("x", 3), g.Ints(-1), g.Ints(long.MinValue), g.Ints(0), g.Ints(-1)])),
        ["rows shifted"] = Refuted(g => g.Node("Slice", [g.Node("Concat", [g.Weights(1, 3), g.Input("x", 3)], ("axis", 0L)), g.Ints(0), g.Ints(-1), g.Ints(0)])),
        ["rows repeated as a block"] = Refuted(g => ReshapeTo(g, g.Node("Tile", [g.Input("x", 3), g.Ints(2, 1)]), RowsAnd(g, "x", 6))),
        ["each row repeated"] = Proven(g => ReshapeTo(g, g.Node("Expand", [g.Unsqueeze(g.Input("x", 3), 1), g.Ints(1, 2, 1)]), RowsAnd(g, "x", 6))),
        ["rows split after being joined to rows"] = Refuted(g =>
        {
            var halves = g.Nodes("Split", "", [g.Node("Concat", [g.Input("x", 3), g.Node("Relu", ["x"])], ("axis", 0L))], 2, ("axis", 0L));
            return g.Node("Sub", halves);
        }),
        ["sum over a dimension in front of the rows"] = Proven(g => g.Node("ReduceSum", [Turn(g, g.Input("x", 3)), g.Ints(0)], ("keepdims", 0L))),
        ["norm over everything"] = Refuted(g => g.Node("Div", [g.Input("x", 3), g.Node("ReduceL2", ["x"], ("axes", Axes(0, 1)))])),
        ["mean variance normalization by default"] = Refuted(g => g.Node("MeanVarianceNormalization", [g.Input("x", 2, 3, 3)])),
        ["batch normalization in training mode"] = Refuted(g =>
            g.Nodes("BatchNormalization", "", [g.Input("x", 2), g.Weights(2), g.Weights(2), g.Weights(2), g.Constant([2], 1, 1)], 3, ("training_mode", 1L))[0]),
        ["batch normalization"] = Proven(g => g.Node("BatchNormalization", [g.Input("x", 2), g.Weights(2), g.Weights(2), g.Weights(2), g.Constant([2], 1, 1)])),
        ["constant expanded along the rows and reshaped"] = Unknown(g => ReshapeTo(g,
            g.Node("Expand", [g.Constant([3, 1], 1, 2, 3), g.Node("Concat", [g.Ints(1), g.Unsqueeze(g.Length(g.Input("x", 3), 0), 0)], ("axis", 0L))]), RowsAnd(g, "x", 3))),
        ["squeeze of every length of one"] = Refuted(g => g.Node("Squeeze", [g.Input("x", 1)])),
        ["divides by the number of rows"] = Refuted(g => g.Node("Div", [g.Input("x", 3), g.Node("Cast", [g.Length("x", 0)], ("to", 1L))])),
        ["softmax of opset 11 over everything from the rows on"] = Refuted(g =>
            Turn(g, g.Node("Softmax", [Turn(g, g.Input("x", 2, 3), 1, 0, 2)], ("axis", 0L)), 1, 0, 2), opset: 11),
        ["softmax of opset 11 over the items"] = Proven(g => g.Node("Softmax", [g.Input("x", 2, 3)], ("axis", 1L)), opset: 11),
        ["softmax over the rows"] = Refuted(g => g.Node("Softmax", [g.Input("x", 3)], ("axis", 0L))),
        ["convolution along the rows"] = Refuted(g =>
            g.Squeeze(g.Node("Conv", [g.Unsqueeze(Turn(g, g.Input("x", 3)), 0), g.Weights(3, 3, 3)], ("pads", Axes(1, 1))), 0)),
        ["convolution"] = Proven(g => g.Node("Conv", [g.Input("x", 2, 5, 5), g.Weights(3, 2, 3, 3)])),
        ["places of a max pool"] = Refuted(g =>
            g.Node("Cast", [g.Nodes("MaxPool", "", [g.Input("x", 2, 4, 4)], 2, ("kernel_shape", Axes(2, 2)))[1]], ("to", 1L))),
        ["branch by the number of rows"] = Unknown(g => g.If(g.Node("Greater", [g.Length(g.Input("x", 3), 0), g.Int(2)]), "x", "Neg", "Relu")),
        ["branch by a constant"] = Proven(g => g.If(g.Bytes(9, 1), g.Input("x", 3), "Neg", "Relu")),
        ["distances between all pairs"] = Refuted(g =>
            g.Node("ReduceMean", [g.Node("Sub", [g.Unsqueeze(g.Input("x", 3), 1), g.Unsqueeze("x", 0)])], ("axes", Axes(1)), ("keepdims", 0L))),
        ["embedding"] = Proven(g => g.Node("Gather", [g.Weights(20, 3), g.Indices("ids", 20)])),
        ["rows picked by numbers of rows"] = Refuted(g => g.Node("Gather", [g.Input("x", 3), g.Node("Mod", [g.Indices("ids", 1), g.Int(1)])])),
        ["element of each row by arange"] = Proven(g => g.Node("GatherND",
        [
            g.Input("x", 3),
            g.Node("Concat", [g.Unsqueeze(g.Node("Range", [g.Int(0), g.Length("x", 0), g.Int(1)]), 1), g.Unsqueeze(g.Indices("ids", 3), 1)], ("axis", 1L)),
        ])),
        ["arange as a value"] = Refuted(g => g.Node("Cast", [g.Node("Range", [g.Int(0), g.Length(g.Input("x", 3), 0), g.Int(1)])], ("to", 1L))),
        ["one-hot in front of the rows"] = Refuted(g => g.Node("OneHot", [g.Indices("ids", 4), g.Int(4), g.Constant([2], 0, 1)], ("axis", 0L))),
        ["cumulative sum over the rows"] = Refuted(g => g.Node("CumSum", [g.Input("x", 3), g.Int(0)], ("exclusive", 1L))),
        ["rows padded and cut"] = Refuted(g => g.Node("Pad", [g.Input("x", 3), g.Ints(1, 0, -1, 0)])),
        ["detections"] = Refuted(g => g.Node("Cast", [g.Node("NonZero", [g.Input("x", 3)])], ("to", 1L))),
        ["dynamic quantization"] = Refuted(g => g.Node("DequantizeLinear", g.Nodes("DynamicQuantizeLinear", "", [g.Input("x", 3)], 3))),
        ["self attention with heads"] = Proven(SelfAttention),
        ["operator of another domain"] = Unknown(g => g.Nodes("Foo", "example.org", [g.Input("x", 3)], 1)[0]),
        ["random"] = Unknown(g => g.Node("RandomNormalLike", [g.Input("x", 3)])),

        ["BiasGelu"] = Proven(g => g.Nodes("BiasGelu", Microsoft, [g.Input("x", 4, 8), g.Weights(8)], 1)[0]),
        ["SkipLayerNormalization"] = Proven(g => g.Nodes("SkipLayerNormalization", Microsoft, [g.Input("x", 4, 8), g.Input("y", 4, 8), g.Weights(8), g.Weights(8)], 1)[0]),
        ["FusedMatMul of rows with rows"] = Refuted(g => g.Nodes("FusedMatMul", Microsoft, [g.Input("x", 4), "x"], 1, ("transB", 1L))[0]),
        ["FusedMatMul with weights"] = Proven(g => g.Nodes("FusedMatMul", Microsoft, [g.Input("x", 4), g.Weights(3, 4)], 1, ("transB", 1L))[0]),
        ["Attention of com.microsoft"] = Proven(g => g.Nodes("Attention", Microsoft, [g.Input("x", 4, 8), g.Weights(8, 24), g.Weights(24)], 1, ("num_heads", 2L))[0]),

        ["Scaler of a table"] = Proven(g => g.Nodes("Scaler", Ml, [g.Input("x", 3)], 1, ("offset", new[] { .1f, .2f, .3f }), ("scale", new[] { 1f, 2f, 3f }))[0]),
        ["Normalizer of a vector"] = Refuted(g => g.Nodes("Normalizer", Ml, [g.Input("x")], 1, ("norm", "L2"))[0]),
        ["Normalizer of a table"] = Proven(g => g.Nodes("Normalizer", Ml, [g.Input("x", 3)], 1, ("norm", "L2"))[0]),
        ["LinearRegressor of a table"] = Proven(g => g.Nodes("LinearRegressor", Ml, [g.Input("x", 3)], 1, ("coefficients", new[] { .1f, .2f, .3f }), ("intercepts", new[] { .5f }))[0]),
        ["LinearClassifier of a table"] = Proven(g => g.Nodes("LinearClassifier", Ml, [g.Input("x", 3)], 2, ("coefficients", new[] { .1f, .2f, .3f, -.1f, -.2f, -.3f }),
            ("intercepts", new[] { .5f, .1f }), ("classlabels_ints", Axes(0, 1)), ("post_transform", "SOFTMAX"))[1]),
    };

    [Theory]
    [MemberData(nameof(Graphs))]
    public void Analyze_HandMadeGraph_VerdictIsRightAndProofsHold(string name, RowIndependenceVerdict expected)
    {
        var (_, opset, build) = Cases[name];
        var graph = new OnnxGraphBuilder(opset);
        graph.Output(build(graph));
        var model = graph.ToArray();

        var result = RowIndependence.Analyze(model);

        Assert.True(expected == result.Verdict, $"{result.Verdict}: {result.Reason}");
        Assert.Equal(expected == RowIndependenceVerdict.Proven, result.Reason.Length == 0);
        if (expected == RowIndependenceVerdict.Proven)
        {
            var (outcome, detail) = JoinedRunOracle.Check(model, graph.Inputs, result.WholeOutputs);
            Assert.True(outcome == JoinOutcome.Equal, $"{outcome}: {detail}");
        }
    }

    [Fact]
    public void Analyze_OutputThatDependsOnNoRow_IsWhole()
    {
        var graph = new OnnxGraphBuilder();
        graph.Output(graph.Node("Relu", [graph.Input("x", 3)]));
        var constant = graph.Node("Neg", [graph.Weights(1, 2)]);
        graph.Output(constant);

        var result = RowIndependence.Analyze(graph.ToArray());

        Assert.Equal(RowIndependenceVerdict.Proven, result.Verdict);
        Assert.Equal([constant], result.WholeOutputs);
    }

    [Fact]
    public void Analyze_InputAmongOutputs_IsProven()
    {
        var graph = new OnnxGraphBuilder();
        graph.Output(graph.Input("x", 3));
        graph.Output(graph.Node("Relu", ["x"]));

        Assert.Equal(RowIndependenceVerdict.Proven, RowIndependence.Analyze(graph.ToArray()).Verdict);
    }

    [Fact]
    public void Analyze_RefutedModel_NamesOutputAndNode()
    {
        var graph = new OnnxGraphBuilder();
        var sum = graph.Node("CumSum", [graph.Input("x", 3), graph.Int(0)]);
        graph.Output(graph.Node("Relu", [sum]));

        var reason = RowIndependence.Analyze(graph.ToArray()).Reason;

        Assert.Contains($"CumSum 'CumSum_{sum}': accumulates over the rows", reason, StringComparison.Ordinal);
    }

    private static string SelfAttention(OnnxGraphBuilder graph)
    {
        var heads = Turn(graph, Reshape(graph, graph.Input("x", 3, 4), 0, 0, 2, 2), 0, 2, 1, 3);
        var weights = graph.Node("Softmax", [graph.Node("MatMul", [heads, Turn(graph, heads, 0, 1, 3, 2)])], ("axis", 3L));
        return Reshape(graph, Turn(graph, graph.Node("MatMul", [weights, heads]), 0, 2, 1, 3), 0, 0, -1);
    }

    private static string Reshape(OnnxGraphBuilder graph, string value, params long[] shape) => graph.Node("Reshape", [value, graph.Ints(shape)]);

    private static string ReshapeTo(OnnxGraphBuilder graph, string value, string shape) => graph.Node("Reshape", [value, shape]);

    private static string RowsAnd(OnnxGraphBuilder graph, string value, long width) =>
        graph.Node("Concat", [graph.Unsqueeze(graph.Length(value, 0), 0), graph.Ints(width)], ("axis", 0L));

    private static string Turn(OnnxGraphBuilder graph, string value, params long[] order) =>
        graph.Node("Transpose", [value], ("perm", order.Length > 0 ? order : Axes(1, 0)));

    private static long[] Axes(params long[] axes) => axes;

    private static (RowIndependenceVerdict, int, Func<OnnxGraphBuilder, string>) Proven(Func<OnnxGraphBuilder, string> build, int opset = 14) => (RowIndependenceVerdict.Proven, opset, build);

    private static (RowIndependenceVerdict, int, Func<OnnxGraphBuilder, string>) Refuted(Func<OnnxGraphBuilder, string> build, int opset = 14) => (RowIndependenceVerdict.Refuted, opset, build);

    private static (RowIndependenceVerdict, int, Func<OnnxGraphBuilder, string>) Unknown(Func<OnnxGraphBuilder, string> build, int opset = 14) => (RowIndependenceVerdict.Unknown, opset, build);
}
