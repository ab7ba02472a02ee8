using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators that keep the shape and let elements along some axes act on each other.</summary>
internal static class NormalizationRules
{
    private const string OverRows = "normalizes over the rows";

    public static TensorFact[]? BatchNormalization(OperatorCall call)
    {
        var input = call.Required(0);
        if (call.Flag("training_mode") || (call.Opset < 7 && !call.Flag("is_test")) || (input.IsPerRow && Enumerable.Range(1, call.OutputCount).Any(call.HasOutput)))
            return All(call, TensorFact.Refuted("normalizes over all rows (training mode)"));
        if (call.RejectVariableInputs() is { } rejection)
            return All(call, rejection);
        if (input.Shape is null)
            return null;
        return OperatorRules.FirstAndOthers(call,
            input is { IsPerRow: true, RowDimension: 1 } ? TensorFact.Unknown("the rows are in the dimension of the channels") : input.WithNewElements(),
            TensorFact.Unknown("there is no rule for this output"));
    }

    public static TensorFact[]? PerItem(OperatorCall call)
    {
        if (call.RejectVariableInputs() is { } rejection)
            return All(call, rejection);
        var input = call.Required(0);
        return OperatorRules.FirstAndOthers(call, ImageRules.RejectRowsElsewhere(input) ?? input.WithNewElements(), TensorFact.Unknown("there is no rule for this output"));
    }

    public static TensorFact[]? LayerNormalization(OperatorCall call)
    {
        if (call.RejectVariableInputs() is { } rejection)
            return All(call, rejection);
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        var axis = call.Axis("axis", -1, shape.Length);
        if (input.IsPerRow && input.RowDimension >= axis)
            return All(call, TensorFact.Refuted(OverRows));
        // Scale and bias must not reach the rows by broadcasting.
        if (input.IsPerRow && call.Inputs.Skip(1).OfType<TensorFact>().Any(parameter => parameter.Shape is not { } lengths
            || (lengths.Length > shape.Length - input.RowDimension - 1 && !lengths[^(shape.Length - input.RowDimension)].Is(1))))
            return All(call, TensorFact.Unknown("the shape of a parameter is not known"));
        var statistics = input.Reshaped([.. shape.Select((length, index) => index < axis ? length : SymbolicLength.One)], input.RowDimension);
        return OperatorRules.FirstAndOthers(call, input.WithNewElements(), statistics);
    }

    public static TensorFact? MeanVarianceNormalization(OperatorCall call)
    {
        var input = call.Required(0);
        return input.Shape is not { } shape ? null
            : input.IsPerRow && (call.Integers("axes") ?? [0, 2, 3]).Any(axis => OperatorCall.Axis(axis, shape.Length) == input.RowDimension)
                ? TensorFact.Refuted(OverRows) : input.WithNewElements();
    }

    // It sums over the channels, the second dimension.
    public static TensorFact? LocalResponseNormalization(OperatorCall call)
    {
        var input = call.Required(0);
        return input is { IsPerRow: true, RowDimension: not 0 } ? TensorFact.Unknown("the rows are not in the first dimension") : input.Shape is null ? null : input.WithNewElements();
    }

    public static TensorFact? Cumulative(OperatorCall call) =>
        OperatorCall.KnownNumbers(call.Input(1)) is [var axis] ? AlongAxis(call, axis, "accumulates over the rows") : TensorFact.Unknown("the axis is not known");

    public static TensorFact? AlongAxis(OperatorCall call, long axis, string reason)
    {
        var input = call.Required(0);
        return input.Shape is not { } shape ? null
            : input.IsPerRow && OperatorCall.Axis(axis, shape.Length) == input.RowDimension ? TensorFact.Refuted(reason) : input.WithNewElements();
    }

    public static TensorFact? Softmax(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        // Before opset 13 all dimensions from the axis on are one.
        var isFlattening = call.Opset < 13;
        var axis = call.Axis("axis", isFlattening ? 1 : -1, shape.Length);
        return input.IsPerRow && (isFlattening ? input.RowDimension >= axis : input.RowDimension == axis)
            ? TensorFact.Refuted("takes the softmax over the rows") : input.WithNewElements();
    }

    public static TensorFact? Quantize(OperatorCall call)
    {
        var input = call.Required(0);
        if (call.RejectVariableInputs() is { } rejection)
            return rejection;
        if (input.Shape is not { } shape)
            return null;
        if (input.DependsOnRowCount)
            return TensorFact.Unknown("the number of rows is used as a value");
        var isAlongRows = input.IsPerRow && call.Required(1).Shape is not [] && !(call.Required(1).Shape is [var count]
            && (count.Is(1) || call.Axis("axis", 1, shape.Length) != input.RowDimension));
        return isAlongRows ? TensorFact.Unknown("scales lie along the rows") : input.WithNewElements();
    }

    private static TensorFact[] All(OperatorCall call, TensorFact fact) => OperatorRules.FirstAndOthers(call, fact, fact);
}
