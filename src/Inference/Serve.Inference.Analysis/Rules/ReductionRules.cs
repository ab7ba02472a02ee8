using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators that make one value, or a few, of all elements along some axes.</summary>
internal static class ReductionRules
{
    public static readonly string[] Operators =
        ["ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare"];

    public static TensorFact? Reduce(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        var axes = call.NumbersOfInputOrAttribute(1, "axes");
        if (axes is null && call.Input(1) is not null)
            return TensorFact.Unknown("the axes are not known");
        if (axes is null or [])
        {
            if (call.Flag("noop_with_empty_axes"))
                return input.WithNewElements();
            axes = [.. Enumerable.Range(0, shape.Length).Select(index => (long)index)];
        }

        if (call.Operator == "ReduceProd" && input.Elements is { } elements && shape.Length == 1)
            return TensorFact.OfElements(call.Integer("keepdims", 1) != 0 ? [SymbolicLength.One] : [], [call.Arithmetic.Product(elements)]);
        return Reduced(call, input, [.. axes.Select(axis => OperatorCall.Axis(axis, shape.Length))]);
    }

    public static TensorFact? ArgMax(OperatorCall call)
    {
        var input = call.Required(0);
        return input.Shape is { } shape ? Reduced(call, input, [call.Axis("axis", 0, shape.Length)]) : null;
    }

    public static TensorFact? TopK(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        var axis = call.Axis("axis", -1, shape.Length);
        if (call.Input(1) is { IsConstant: false })
            return TensorFact.Unknown("the number of results depends on the rows");
        if (input.IsPerRow && input.RowDimension == axis)
            return TensorFact.Refuted("sorts the rows");
        var count = call.Input(1) is { } given ? given.Elements is [var known] ? call.Arithmetic.AsLength(known) : call.Arithmetic.NewLength() : SymbolicLength.Of(call.Integer("k", 1));
        return input.Reshaped([.. shape.Select((length, index) => index == axis ? count : length)], input.RowDimension);
    }

    private static TensorFact Reduced(OperatorCall call, TensorFact input, HashSet<int> axes)
    {
        if (input.IsPerRow && axes.Contains(input.RowDimension))
            return TensorFact.Refuted("takes one value of all rows");
        if (input.DependsOnRowCount)
            return TensorFact.Unknown("the number of rows is used as a value");
        return call.Integer("keepdims", 1) != 0
            ? input.Reshaped([.. input.Lengths.Select((length, index) => axes.Contains(index) ? SymbolicLength.One : length)], input.RowDimension)
            : input.Reshaped([.. input.Lengths.Where((_, index) => !axes.Contains(index))], input.RowDimension - axes.Count(axis => axis < input.RowDimension));
    }
}
