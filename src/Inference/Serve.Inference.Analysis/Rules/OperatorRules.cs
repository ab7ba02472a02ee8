using Serve.Inference.Analysis.Facts;
using Serve.Inference.Analysis.Format;

namespace Serve.Inference.Analysis.Rules;

/// <summary>
/// Rules of the operators: the facts about the outputs of an operator, given the facts about its inputs. A rule that does not apply returns null, which means unknown.
/// Sources: the operator specifications of ONNX (opsets up to 26), of ai.onnx.ml and of ONNX Runtime's contributed operators.
/// </summary>
internal static class OperatorRules
{
    /// <summary>Newest opset of the default domain whose operators were reviewed.</summary>
    private const int NewestOpset = 26;

    private const string MicrosoftDomain = "com.microsoft";
    private const string MlDomain = "ai.onnx.ml";

    private static readonly HashSet<string> Random =
        ["RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"];

    private static readonly Dictionary<string, Func<OperatorCall, TensorFact[]?>> Standard = new()
    {
        ["Constant"] = One(ConstantRules.Constant),
        ["Shape"] = One(ConstantRules.Shape),
        ["Size"] = One(ConstantRules.Size),
        ["Range"] = One(ConstantRules.Range),
        ["ConstantOfShape"] = One(ConstantRules.ConstantOfShape),
        ["EyeLike"] = One(call => call.Required(0).IsPerRow ? TensorFact.Refuted("numbers the rows") : null),

        ["CastLike"] = One(call => call.Required(0).WithNewElements()),
        ["Dropout"] = One(ElementwiseRules.Dropout),

        ["Reshape"] = One(ShapeRules.Reshape),
        ["Flatten"] = One(ShapeRules.Flatten),
        ["Transpose"] = One(ShapeRules.Transpose),
        ["Squeeze"] = One(ShapeRules.Squeeze),
        ["Unsqueeze"] = One(ShapeRules.Unsqueeze),
        ["Expand"] = One(ShapeRules.Expand),
        ["Tile"] = One(ShapeRules.Tile),
        ["Concat"] = One(ShapeRules.Concat),
        ["Split"] = ShapeRules.Split,
        ["Pad"] = One(ShapeRules.Pad),
        ["Trilu"] = One(ShapeRules.Trilu),

        ["Slice"] = One(IndexRules.Slice),
        ["Gather"] = One(IndexRules.Gather),
        ["GatherElements"] = One(IndexRules.GatherElements),
        ["GatherND"] = One(IndexRules.GatherNd),
        ["Scatter"] = One(IndexRules.ScatterElements),
        ["ScatterElements"] = One(IndexRules.ScatterElements),
        ["OneHot"] = One(IndexRules.OneHot),
        ["Compress"] = One(IndexRules.Compress),
        ["NonZero"] = One(IndexRules.CountDependsOnData),
        ["Unique"] = One(IndexRules.CountDependsOnData),
        ["NonMaxSuppression"] = One(IndexRules.CountDependsOnData),

        ["MatMul"] = One(MatrixRules.MatMul),
        ["MatMulInteger"] = One(MatrixRules.MatMulInteger),
        ["QLinearMatMul"] = One(MatrixRules.QLinearMatMul),
        ["Gemm"] = One(MatrixRules.Gemm),
        ["Einsum"] = One(MatrixRules.Einsum),
        ["Det"] = One(MatrixRules.Det),
        ["DFT"] = One(MatrixRules.Dft),

        ["BatchNormalization"] = NormalizationRules.BatchNormalization,
        ["InstanceNormalization"] = NormalizationRules.PerItem,
        ["GroupNormalization"] = NormalizationRules.PerItem,
        ["LayerNormalization"] = NormalizationRules.LayerNormalization,
        ["RMSNormalization"] = NormalizationRules.LayerNormalization,
        ["MeanVarianceNormalization"] = One(NormalizationRules.MeanVarianceNormalization),
        ["LRN"] = One(NormalizationRules.LocalResponseNormalization),
        ["LpNormalization"] = One(call => NormalizationRules.AlongAxis(call, call.Integer("axis", -1), "normalizes over the rows")),
        ["CumSum"] = One(NormalizationRules.Cumulative),
        ["CumProd"] = One(NormalizationRules.Cumulative),
        ["Softmax"] = One(NormalizationRules.Softmax),
        ["LogSoftmax"] = One(NormalizationRules.Softmax),
        ["Hardmax"] = One(NormalizationRules.Softmax),
        ["QuantizeLinear"] = One(NormalizationRules.Quantize),
        ["DequantizeLinear"] = One(NormalizationRules.Quantize),
        ["DynamicQuantizeLinear"] = One(call => call.Required(0).IsPerRow ? TensorFact.Refuted("takes its scale from all rows") : null),

        ["ArgMax"] = One(ReductionRules.ArgMax),
        ["ArgMin"] = One(ReductionRules.ArgMax),
        ["TopK"] = One(ReductionRules.TopK),

        ["Conv"] = One(call => ImageRules.Conv(call, weights: 1)),
        ["ConvInteger"] = One(call => ImageRules.Conv(call, weights: 1)),
        ["QLinearConv"] = One(call => ImageRules.Conv(call, weights: 3)),
        ["ConvTranspose"] = One(ImageRules.ConvTranspose),
        ["MaxPool"] = ImageRules.Pool,
        ["AveragePool"] = ImageRules.Pool,
        ["LpPool"] = ImageRules.Pool,
        ["GlobalMaxPool"] = ImageRules.Pool,
        ["GlobalAveragePool"] = ImageRules.Pool,
        ["GlobalLpPool"] = ImageRules.Pool,
        ["DepthToSpace"] = One(ImageRules.DepthToSpace),
        ["SpaceToDepth"] = One(ImageRules.DepthToSpace),
        ["GridSample"] = One(ImageRules.GridSample),
        ["Resize"] = One(ImageRules.Resize),
        ["Upsample"] = One(ImageRules.Resize),

        ["LSTM"] = SequenceRules.Recurrent,
        ["GRU"] = SequenceRules.Recurrent,
        ["RNN"] = SequenceRules.Recurrent,
        ["ReverseSequence"] = One(SequenceRules.ReverseSequence),
        ["RotaryEmbedding"] = One(SequenceRules.RotaryEmbedding),
        ["Attention"] = SequenceRules.Attention,
    };

    static OperatorRules()
    {
        foreach (var name in ElementwiseRules.Operators)
            Standard[name] = One(ElementwiseRules.Elementwise);
        foreach (var name in ReductionRules.Operators)
            Standard[name] = One(ReductionRules.Reduce);
    }

    public static bool IsKnownDomain(string domain) => domain is "" or MlDomain or MicrosoftDomain;

    public static bool IsRandom(OnnxNode node) => node.Domain.Length == 0 && Random.Contains(node.Operator);

    /// <summary>Applies the operator's rule; null if there is none. There is a fact for each output.</summary>
    /// <exception cref="InvalidDataException">The call is not a valid one of this operator.</exception>
    public static TensorFact[]? Apply(string domain, OperatorCall call)
    {
        var rules = domain switch
        {
            "" when call.Opset <= NewestOpset => Standard,
            MlDomain => TabularRules.Operators,
            MicrosoftDomain => MicrosoftRules.Operators,
            _ => null,
        };
        if (rules is null || !rules.TryGetValue(call.Operator, out var rule) || (domain.Length > 0 && call.HasConstantInputs))
            return null;
        try
        {
            return rule(call);
        }
        catch (Exception thrown) when (thrown is IndexOutOfRangeException or ArgumentException or InvalidOperationException or OverflowException)
        {
            throw new InvalidDataException($"{call.Operator} has attributes or inputs that do not belong together.", thrown);
        }
    }

    /// <summary>A rule whose result holds for each output.</summary>
    internal static Func<OperatorCall, TensorFact[]?> One(Func<OperatorCall, TensorFact?> rule) =>
        call => rule(call) is { } fact ? [.. Enumerable.Repeat(fact, call.OutputCount)] : null;

    /// <summary>A result for the first output, and another for all further ones.</summary>
    internal static TensorFact[] FirstAndOthers(OperatorCall call, TensorFact first, TensorFact others) =>
        [first, .. Enumerable.Repeat(others, call.OutputCount - 1)];
}
