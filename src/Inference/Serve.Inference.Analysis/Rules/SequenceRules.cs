using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Recurrent layers and attention.</summary>
internal static class SequenceRules
{
    private static readonly int[] WeightInputs = [1, 2, 3, 7];
    private static readonly int[] AttentionInputs = [0, 1, 2, 4, 5, 6];

    /// <summary>LSTM, GRU and RNN: inputs X, W, R, B, sequence lengths, initial h, initial c, P.</summary>
    public static TensorFact[]? Recurrent(OperatorCall call)
    {
        var input = call.Required(0);
        if (WeightInputs.Any(index => call.Input(index) is { IsConstant: false }))
            return All(call, TensorFact.Refuted("the weights depend on the rows"));
        if (input.Shape is not { Length: 3 } shape)
            return null;
        var isBatchFirst = call.Integer("layout", 0) == 1;
        var (batch, stateBatch) = isBatchFirst ? (0, 0) : (1, 1);
        (TensorFact? Fact, int Batch)[] states = [(call.Input(4), 0), (call.Input(5), stateBatch), (call.Input(6), stateBatch)];
        if (input.IsFixed)
            return call.HasConstantInputs ? All(call, TensorFact.AnyFixed) : All(call, TensorFact.Unknown("the sequence does not depend on the rows"));
        if (input.RowDimension != batch)
            return All(call, TensorFact.Refuted("takes the rows for the steps of one sequence"));
        foreach (var (state, dimension) in states)
        {
            if (state is null)
                continue;
            if (!state.IsPerRow)
                return All(call, TensorFact.Unknown("a state does not follow the rows"));
            if (state.RowDimension != dimension || !state.Lengths[dimension].Equals(shape[batch]) || (!state.IsUniform && !state.HasLayoutOf(input)))
                return All(call, TensorFact.Refuted("rows in different dimensions meet"));
        }

        var directions = call.Text("direction", "forward") == "bidirectional" ? SymbolicLength.Of(2) : SymbolicLength.One;
        var hidden = call.Attribute("hidden_size") is { } size ? SymbolicLength.Of(size.Integer) : call.Arithmetic.NewLength();
        var (rows, steps) = (shape[batch], shape[1 - batch]);
        return isBatchFirst
            ? OperatorRules.FirstAndOthers(call, Rows([rows, steps, directions, hidden], 0), Rows([rows, directions, hidden], 0))
            : OperatorRules.FirstAndOthers(call, Rows([steps, directions, rows, hidden], 2), Rows([directions, rows, hidden], 1));

        TensorFact Rows(SymbolicLength[] lengths, int dimension) => input.Reshaped(lengths, dimension) with { IsUniform = false };
    }

    public static TensorFact? ReverseSequence(OperatorCall call)
    {
        var rows = IndexRules.CommonRows(call.Inputs, inSameDimension: false);
        if (rows.IsRejected || rows.IsFixed)
            return rows.IsRejected ? rows : null;
        var (input, lengths) = (call.Required(0), call.Required(1));
        var (batch, time) = (call.Integer("batch_axis", 1), call.Integer("time_axis", 0));
        return input.IsPerRow && lengths is { IsPerRow: true, RowDimension: 0 } && input.RowDimension == batch && time != batch
            && input.Lengths[input.RowDimension].Equals(lengths.Lengths[0]) ? input.WithNewElements() with { IsUniform = false } : null;
    }

    /// <summary>Inputs X, cosines, sines, position ids. Without ids the caches have a batch dimension of their own.</summary>
    public static TensorFact? RotaryEmbedding(OperatorCall call)
    {
        var input = call.Required(0);
        return call.Required(1).IsConstant && call.Required(2).IsConstant && input is { IsPerRow: true, RowDimension: 0 }
            && call.Input(3) is { IsPerRow: true, RowDimension: 0 } ids && ids.Lengths[0].Equals(input.Lengths[0]) && ids.HasLayoutOf(input)
            ? input.WithNewElements() with { IsUniform = false } : null;
    }

    /// <summary>Attention of opset 23: inputs Q, K, V, mask, past key, past value, valid lengths.</summary>
    public static TensorFact[]? Attention(OperatorCall call)
    {
        if (call.HasConstantInputs)
            return All(call, TensorFact.AnyFixed);
        var query = call.Required(0);
        foreach (var index in AttentionInputs)
        {
            if (call.Input(index) is not { } input)
                continue;
            if (!input.IsPerRow)
                return All(call, TensorFact.Unknown("joins rows and values that do not follow them"));
            if (input.RowDimension != 0 || !query.IsPerRow || !input.HasLayoutOf(query) || !input.Lengths[0].Equals(query.Lengths[0]))
                return All(call, TensorFact.Refuted("rows in different dimensions meet"));
        }

        if (query.Rank is not (3 or 4))
            return null;
        if (call.Input(3) is { } mask && !IsMaskOfRows(mask, query))
            return All(call, TensorFact.Unknown("the dimensions of the mask are not known to follow the rows"));
        var value = call.Required(2);
        SymbolicLength[] shape = query.Rank == 4 ? [.. query.Lengths[..3], value.Lengths[3]] : [query.Lengths[0], query.Lengths[1], call.Arithmetic.NewLength()];
        SymbolicLength[] others = [query.Lengths[0], call.Arithmetic.NewLength(), call.Arithmetic.NewLength(), call.Arithmetic.NewLength()];
        return OperatorRules.FirstAndOthers(call, query.Reshaped(shape, 0) with { IsUniform = false }, query.Reshaped(others, 0) with { IsUniform = false });
    }

    private static bool IsMaskOfRows(TensorFact mask, TensorFact query)
    {
        if (mask.Shape is not { } shape)
            return false;
        return mask.IsPerRow
            ? mask.RowDimension == 0 && shape.Length == 4 && shape[0].Equals(query.Lengths[0]) && mask.HasLayoutOf(query)
            : mask.IsConstant && (shape.Length < 4 || shape[0].Is(1));
    }

    private static TensorFact[] All(OperatorCall call, TensorFact fact) => OperatorRules.FirstAndOthers(call, fact, fact);
}
