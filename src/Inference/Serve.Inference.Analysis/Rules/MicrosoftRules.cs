using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators that ONNX Runtime contributes (domain com.microsoft), as its optimizer and quantizer write them into files.</summary>
internal static class MicrosoftRules
{
    public static readonly Dictionary<string, Func<OperatorCall, TensorFact[]?>> Operators = new()
    {
        ["Gelu"] = OperatorRules.One(Broadcast),
        ["FastGelu"] = OperatorRules.One(Broadcast),
        ["QuickGelu"] = OperatorRules.One(Broadcast),
        ["BiasGelu"] = OperatorRules.One(Broadcast),
        ["SkipLayerNormalization"] = SkipLayerNormalization,
        ["SkipSimplifiedLayerNormalization"] = SkipLayerNormalization,
        ["EmbedLayerNormalization"] = EmbedLayerNormalization,
        ["Attention"] = call => Attention(call, mask: 3),
        ["QAttention"] = call => Attention(call, mask: 5),
        ["FusedMatMul"] = OperatorRules.One(FusedMatMul),
        ["FusedGemm"] = OperatorRules.One(MatrixRules.Gemm),
        ["FusedConv"] = OperatorRules.One(FusedConv),
        ["MatMulNBits"] = OperatorRules.One(MatMulNBits),
        ["MatMulIntegerToFloat"] = OperatorRules.One(MatMulIntegerToFloat),
        ["DynamicQuantizeMatMul"] = OperatorRules.One(_ => TensorFact.Refuted("takes its scale from all rows")),
        ["QuantizeLinear"] = OperatorRules.One(NormalizationRules.Quantize),
        ["DequantizeLinear"] = OperatorRules.One(NormalizationRules.Quantize),
        ["QLinearAdd"] = OperatorRules.One(QLinearBinary),
        ["QLinearMul"] = OperatorRules.One(QLinearBinary),
        ["QLinearSigmoid"] = OperatorRules.One(QLinearUnary),
        ["QLinearLeakyRelu"] = OperatorRules.One(QLinearUnary),
        ["QLinearGlobalAveragePool"] = call => call.Flag("channels_last") ? null
            : call.RejectVariableInputs() is { } rejection ? OperatorRules.FirstAndOthers(call, rejection, rejection) : ImageRules.Pool(call),
    };

    private static TensorFact Broadcast(OperatorCall call) => ElementwiseRules.Broadcast(call, call.Inputs);

    private static TensorFact QLinearBinary(OperatorCall call) =>
        MatrixRules.RejectScales(call, 1, 2, 4, 5, 6, 7) ?? ElementwiseRules.Broadcast(call, [call.Required(0), call.Required(3)]);

    private static TensorFact QLinearUnary(OperatorCall call) => MatrixRules.RejectScales(call, 1, 2, 3, 4) ?? call.Required(0).WithNewElements();

    /// <summary>Inputs: data, skip, scale, bias of the normalization, bias. Fourth output: the sum.</summary>
    private static TensorFact[]? SkipLayerNormalization(OperatorCall call)
    {
        if (call.RejectVariableInputs(from: 2) is { } rejection)
            return OperatorRules.FirstAndOthers(call, rejection, rejection);
        var sum = ElementwiseRules.Broadcast(call, [call.Required(0), call.Required(1)]);
        if (!sum.IsPerRow || sum.Rank < 2)
            return sum.IsRejected ? OperatorRules.FirstAndOthers(call, sum, sum) : null;
        if (sum.RowDimension == sum.Rank - 1)
            return OperatorRules.FirstAndOthers(call, TensorFact.Refuted("normalizes over the rows"), TensorFact.Refuted("normalizes over the rows"));
        var statistics = sum.Reshaped([.. sum.Lengths[..^1], SymbolicLength.One], sum.RowDimension);
        return [.. Enumerable.Range(0, call.OutputCount).Select(index => index is 0 or 3 ? sum : statistics)];
    }

    /// <summary>Inputs: ids, segment ids, tables of words, positions and segments, scale, bias, mask, position ids.</summary>
    private static TensorFact[]? EmbedLayerNormalization(OperatorCall call)
    {
        if (Enumerable.Range(2, 5).Any(index => call.Input(index) is { IsConstant: false }))
            return OperatorRules.FirstAndOthers(call, TensorFact.Refuted("a table comes from the rows"), TensorFact.Refuted("a table comes from the rows"));
        foreach (var index in new[] { 0, 1, 7, 8 })
        {
            if (call.Input(index) is { } ids && ids is not { HasPlainRows: true, Rank: 2 } && !(index == 8 && ids is { IsConstant: true, Shape: [var first, ..] } && first.Is(1)))
                return null;
        }

        var hidden = call.Required(2).Shape is [_, var width] ? width : call.Arithmetic.NewLength();
        var embedded = TensorFact.OfRows([SymbolicLength.RowCount, call.Required(0).Lengths[1], hidden], rowDimension: 0);
        return [.. Enumerable.Range(0, call.OutputCount).Select(index => index == 1 ? TensorFact.OfRows([SymbolicLength.RowCount], rowDimension: 0) : embedded)];
    }

    /// <summary>Self attention with packed weights; past states and biases have no rule.</summary>
    private static TensorFact[]? Attention(OperatorCall call, int mask)
    {
        var input = call.Required(0);
        if (Enumerable.Range(1, call.Inputs.Length).Any(index => index != mask && call.Input(index) is { IsConstant: false }))
            return null;
        if (input is not { IsPerRow: true, RowDimension: 0, Rank: 3 } || (mask == 3 && call.Inputs.Skip(4).Any(extra => extra is not null)))
            return null;
        if (call.Input(mask) is { } given && !(given is { IsPerRow: true, RowDimension: 0, Rank: <= 4 } && given.Lengths[0].Equals(input.Lengths[0]) && given.HasLayoutOf(input)))
            return null;
        var width = call.Integers("qkv_hidden_sizes") is [_, _, var value] ? SymbolicLength.Of(value)
            : call.Required(1).Shape is [_, var packed] ? call.Arithmetic.Divide(packed, SymbolicLength.Of(3)) : call.Arithmetic.NewLength();
        return OperatorRules.FirstAndOthers(call, input.Reshaped([input.Lengths[0], input.Lengths[1], width], 0) with { IsUniform = false },
            TensorFact.Unknown("there is no rule for this output"));
    }

    private static TensorFact? FusedMatMul(OperatorCall call)
    {
        var (left, right) = (call.Required(0), call.Required(1));
        return call.Flag("transBatchA") || call.Flag("transBatchB") || left.Shape is not { Length: >= 2 } || right.Shape is not { Length: >= 2 } ? null
            : MatrixRules.MatMul(call, MatrixRules.Turned(left, call.Flag("transA")), MatrixRules.Turned(right, call.Flag("transB")));
    }

    private static TensorFact FusedConv(OperatorCall call)
    {
        if (call.Inputs.Skip(1).Take(2).Any(weights => weights is { IsConstant: false }))
            return TensorFact.Refuted("the weights depend on the rows");
        var convolved = ImageRules.Convolved(call, call.Required(0), call.Required(1));
        return call.Input(3) is { } sum && !convolved.IsRejected ? ElementwiseRules.Broadcast(call, [convolved, sum]) : convolved;
    }

    private static TensorFact MatMulNBits(OperatorCall call)
    {
        var input = call.Required(0);
        return call.RejectVariableInputs() ?? (input.IsPerRow && input.RowDimension < input.Rank - 1
            ? input.Reshaped([.. input.Lengths[..^1], SymbolicLength.Of(call.Integer("N", 1))], input.RowDimension) : TensorFact.Refuted("sums over the rows"));
    }

    private static TensorFact MatMulIntegerToFloat(OperatorCall call) =>
        call.RejectVariableInputs(from: 2) ?? MatrixRules.RejectScales(call, 2, 4) ?? MatrixRules.MatMul(call);
}
