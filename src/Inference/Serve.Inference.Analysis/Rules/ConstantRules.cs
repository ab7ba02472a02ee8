using Serve.Inference.Analysis.Facts;
using Serve.Inference.Analysis.Format;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Constants, and numbers made of shapes.</summary>
internal static class ConstantRules
{
    public static TensorFact Constant(OperatorCall call)
    {
        if (call.Attribute("value")?.Tensor is { } tensor)
            return TensorFact.OfTensor(tensor);
        if (call.Attribute("value_int") is { } scalar)
            return TensorFact.OfElements([], [SymbolicLength.Of(scalar.Integer)]);
        if (call.Integers("value_ints") is { Length: <= OnnxTensor.MaxElements } vector)
            return TensorFact.OfVector([.. vector.Select(SymbolicLength.Of)]);
        return call.Has("value_float") || call.Has("value_string") ? TensorFact.OfShape() : TensorFact.AnyFixed;
    }

    public static TensorFact? Shape(OperatorCall call)
    {
        if (call.Required(0).Shape is not { } shape)
            return null;
        var start = Bound(call.Integer("start", 0), shape.Length);
        var end = Math.Max(start, Bound(call.Integer("end", int.MaxValue), shape.Length));
        return TensorFact.OfVector(shape[start..end]);
    }

    public static TensorFact? Size(OperatorCall call) =>
        call.Required(0).Shape is { } shape ? TensorFact.OfElements([], [call.Arithmetic.Product(shape)]) : null;

    public static TensorFact? Range(OperatorCall call)
    {
        TensorFact[] inputs = [call.Required(0), call.Required(1), call.Required(2)];
        if (inputs.All(input => input.IsFixed) && inputs[0].Elements is [var zero] && zero.Is(0) && inputs[2].Elements is [var one] && one.Is(1)
            && inputs[1].Elements is [var rows] && rows.Equals(SymbolicLength.RowCount))
            return TensorFact.Refuted("numbers the rows") with { RowNumbersShape = [SymbolicLength.RowCount] };
        if (call.RejectVariableInputs(from: 0) is { } rejection)
            return inputs.All(input => input.IsFixed) ? TensorFact.Refuted("numbers the rows") : rejection;
        if (inputs[0].Elements is not [var start] || inputs[1].Elements is not [var limit] || inputs[2].Elements is not [var step])
            return TensorFact.OfShape(call.Arithmetic.NewLength());
        if (start.IsConstant && limit.IsConstant && step is { IsConstant: true, Constant: not 0 })
        {
            var length = (long)Math.Max(0, Math.Ceiling(((decimal)limit.Constant - start.Constant) / step.Constant));
            var shape = SymbolicLength.Of(length);
            return length > OnnxTensor.MaxElements ? TensorFact.OfShape(shape)
                : TensorFact.OfVector([.. Enumerable.Range(0, (int)length).Select(index => SymbolicLength.Of(start.Constant + (index * step.Constant)))]);
        }

        return TensorFact.OfShape(start.Is(0) && step.Is(1) && limit.IsNeverNegative ? limit : call.Arithmetic.NewLength());
    }

    public static TensorFact ConstantOfShape(OperatorCall call)
    {
        if (call.ElementsOf(call.Required(0)) is not { } lengths)
            return TensorFact.Unknown("the shape is not known");
        var rowDimension = -1;
        for (var index = 0; index < lengths.Length; index++)
        {
            if (!lengths[index].DependsOnRowCount)
                continue;
            if (!IsMultipleOfRowCount(lengths[index]))
                return TensorFact.Unknown("a length depends on the number of rows otherwise than as a factor");
            if (rowDimension >= 0)
                return TensorFact.Refuted("makes a square of the rows");
            rowDimension = index;
        }

        SymbolicLength[] shape = [.. lengths.Select(call.Arithmetic.AsLength)];
        if (rowDimension >= 0)
        {
            return TensorFact.OfRows(shape, rowDimension) with
            {
                Inner = SymbolicLength.Divide(shape[rowDimension], SymbolicLength.RowCount)!,
                IsUniform = true,
            };
        }

        var count = call.Arithmetic.Product(shape);
        var value = call.Attribute("value") is { } given ? given.Tensor?.ReadIntegers() is [var single] ? single : (long?)null : 0;
        return value is { } number && call.Has("value") && count is { IsConstant: true, Constant: <= OnnxTensor.MaxElements }
            ? TensorFact.OfElements(shape, [.. Enumerable.Repeat(SymbolicLength.Of(number), (int)count.Constant)])
            : TensorFact.OfShape(shape);
    }

    /// <summary>Whether a length is a·N with a whole number a that is not negative.</summary>
    public static bool IsMultipleOfRowCount(SymbolicLength length) =>
        length is { IsOpaqueInRows: false, RowCountPower: 1, Constant: > 0, IsNeverNegative: true };

    private static int Bound(long bound, int rank) => (int)Math.Clamp(bound < 0 ? bound + rank : bound, 0, rank);
}
