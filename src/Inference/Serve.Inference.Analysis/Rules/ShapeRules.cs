using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators that move, join and repeat elements.</summary>
internal static class ShapeRules
{
    private const string RowCountAsValue = "the number of rows is used as a value";

    public static TensorFact Reshape(OperatorCall call)
    {
        var input = call.Required(0);
        var shape = call.Input(1) ?? (call.Integers("shape") is { } lengths ? TensorFact.OfVector([.. lengths.Select(SymbolicLength.Of)]) : null);
        if (shape is null)
            return TensorFact.Unknown("no shape is given");
        if (shape.IsPerRow)
            return TensorFact.Unknown("the shape depends on the data of the rows");
        if ((shape.Elements ?? (input.Shape is null ? null : call.ElementsOf(shape))) is not { } requested)
            return input.IsConstant && shape.IsConstant ? TensorFact.AnyFixed : TensorFact.Unknown("the shape is not known");
        if (input.Shape is null)
        {
            return requested.Any(length => length.DependsOnRowCount) ? TensorFact.Unknown("rows are made of a constant")
                : TensorFact.OfShape([.. requested.Select(length => length.IsNeverNegative && !length.Is(0) ? length : call.Arithmetic.NewLength())]);
        }

        if (Resolve(call, input, requested, out var resolved) is { } rejection)
            return rejection;
        var result = ReshapeTo(call.Arithmetic, input, resolved);
        return result.IsRejected || input.Elements is null ? result : result with { Elements = input.Elements };
    }

    public static TensorFact? Flatten(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        var axis = call.Integer("axis", 1);
        var split = axis == shape.Length ? shape.Length : OperatorCall.Axis(axis, shape.Length);
        return ReshapeTo(call.Arithmetic, input, [call.Arithmetic.Product(shape[..split]), call.Arithmetic.Product(shape[split..])]);
    }

    public static TensorFact? Transpose(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        var order = call.Integers("perm") is { Length: > 0 } given ? [.. given.Select(axis => (int)axis)] : Enumerable.Range(0, shape.Length).Reverse().ToArray();
        if (order.Length != shape.Length)
            return null;
        SymbolicLength[] turned = [.. order.Select(axis => shape[axis])];
        if (input.PickElements(turned, place => [.. Enumerable.Range(0, place.Length).Select(axis => place[Array.IndexOf(order, axis)])]) is { } elements)
            return TensorFact.OfElements(turned, elements);
        return input.DependsOnRowCount ? TensorFact.Unknown("a shape is transposed") : input.Reshaped(turned, Array.IndexOf(order, input.RowDimension));
    }

    public static TensorFact? Squeeze(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        var axes = call.NumbersOfInputOrAttribute(1, "axes");
        if (axes is null)
        {
            if (call.Input(1) is not null)
                return TensorFact.Unknown("the axes are not known");
            if (input.IsPerRow)
                return TensorFact.Refuted("drops the dimension of the rows when there is one row");
            if (shape.Any(length => !length.IsConstant))
                return null;
            axes = [.. Enumerable.Range(0, shape.Length).Where(index => shape[index].Is(1)).Select(index => (long)index)];
        }

        var dropped = axes.Select(axis => OperatorCall.Axis(axis, shape.Length)).ToHashSet();
        if (input.IsPerRow && dropped.Contains(input.RowDimension))
            return TensorFact.Refuted("drops the dimension of the rows");
        return input.Reshaped([.. shape.Where((_, index) => !dropped.Contains(index))], input.RowDimension - dropped.Count(axis => axis < input.RowDimension)) with
        {
            Elements = input.Elements,
        };
    }

    public static TensorFact? Unsqueeze(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } lengths)
            return null;
        if (call.NumbersOfInputOrAttribute(1, "axes") is not { } axes)
            return TensorFact.Unknown("the axes are not known");
        var rank = lengths.Length + axes.Length;
        var added = axes.Select(axis => OperatorCall.Axis(axis, rank)).ToHashSet();
        if (added.Count != axes.Length)
            return null;
        var shape = new SymbolicLength[rank];
        var (from, rowDimension) = (0, -1);
        for (var index = 0; index < rank; index++)
        {
            if (added.Contains(index))
            {
                shape[index] = SymbolicLength.One;
                continue;
            }

            if (from == input.RowDimension)
                rowDimension = index;
            shape[index] = lengths[from++];
        }

        return input.Reshaped(shape, rowDimension) with { Elements = input.Elements };
    }

    public static TensorFact Expand(OperatorCall call)
    {
        var (input, shape) = (call.Required(0), call.Required(1));
        if (shape.IsPerRow)
            return TensorFact.Unknown("the shape depends on the data of the rows");
        if (call.ElementsOf(shape) is not { } requested || input.Shape is not { } lengths)
            return input.IsConstant && shape.IsConstant ? TensorFact.AnyFixed : TensorFact.Unknown("the shape is not known");
        if (input.DependsOnRowCount)
            return TensorFact.Unknown(RowCountAsValue);
        var rank = Math.Max(lengths.Length, requested.Length);
        var rowDimension = input.IsPerRow ? rank - lengths.Length + input.RowDimension : -1;
        var expanded = new SymbolicLength[rank];
        var madeRows = false;
        for (var index = 0; index < rank; index++)
        {
            var have = index - (rank - lengths.Length) is >= 0 and var own ? lengths[own] : SymbolicLength.One;
            var want = index - (rank - requested.Length) is >= 0 and var other ? requested[other] : SymbolicLength.One;
            if (input.IsPerRow && index == rowDimension)
            {
                if (!want.Is(1) && !want.Equals(have))
                    return TensorFact.Unknown($"expands the rows to a length of {want}");
                expanded[index] = have;
            }
            else if (want.DependsOnRowCount)
            {
                if (rowDimension >= 0)
                    return TensorFact.Refuted("makes a square of the rows");
                if (!have.Is(1) || !ConstantRules.IsMultipleOfRowCount(want))
                    return TensorFact.Unknown($"expands a length of {have} to {want}");
                (rowDimension, madeRows) = (index, true);
                expanded[index] = want;
            }
            else
            {
                expanded[index] = want.Is(1) || want.Equals(have) ? have : have.Is(1) ? call.Arithmetic.AsLength(want) : have.IsConstant ? have : call.Arithmetic.NewLength();
            }
        }

        return madeRows ? MadeRows(expanded, rowDimension, isUniform: true)
            : input.IsPerRow ? input.Reshaped(expanded, rowDimension) : TensorFact.OfShape(expanded);
    }

    public static TensorFact Tile(OperatorCall call)
    {
        var (input, repeats) = (call.Required(0), call.Required(1));
        if (repeats.IsPerRow)
            return TensorFact.Unknown("the repeats depend on the data of the rows");
        if (input.Shape is not { } lengths || call.ElementsOf(repeats) is not { } times || times.Length != lengths.Length)
            return input.IsConstant && repeats.IsConstant ? TensorFact.AnyFixed : TensorFact.Unknown("the repeats are not known");
        if (input.DependsOnRowCount)
            return TensorFact.Unknown(RowCountAsValue);
        var shape = new SymbolicLength[lengths.Length];
        var rowDimension = input.RowDimension;
        for (var index = 0; index < shape.Length; index++)
        {
            if (input.IsPerRow && index == input.RowDimension)
            {
                if (!times[index].Is(1))
                    return TensorFact.Refuted("repeats the rows one after another");
                shape[index] = lengths[index];
            }
            else if (times[index].DependsOnRowCount)
            {
                if (rowDimension >= 0)
                    return TensorFact.Refuted("makes a square of the rows");
                if (!ConstantRules.IsMultipleOfRowCount(times[index]))
                    return TensorFact.Unknown("the repeats depend on the number of rows otherwise than as a factor");
                rowDimension = index;
                shape[index] = call.Arithmetic.Multiply(times[index], lengths[index]);
            }
            else
            {
                shape[index] = call.Arithmetic.Multiply(lengths[index], call.Arithmetic.AsLength(times[index]));
            }
        }

        if (rowDimension < 0)
            return TensorFact.OfShape(shape);
        return input.IsPerRow ? input.Reshaped(shape, rowDimension) : MadeRows(shape, rowDimension, isUniform: lengths[rowDimension].Is(1));
    }

    public static TensorFact Concat(OperatorCall call)
    {
        TensorFact[] parts = [.. Enumerable.Range(0, call.Inputs.Length).Select(call.Required)];
        if (parts.Any(part => part.Shape is null))
            return parts.All(part => part.IsConstant) ? TensorFact.AnyFixed : TensorFact.Unknown("the shape of a part is not known");
        var rank = parts[0].Rank;
        if (parts.Any(part => part.Rank != rank))
            return TensorFact.Unknown("parts of different rank are joined");
        var axis = call.Axis("axis", 1, rank);
        if (parts.All(part => part.IsFixed))
            return ConcatFixed(call, parts, axis);
        if (parts.Any(part => part.DependsOnRowCount))
            return TensorFact.Refuted(RowCountAsValue);

        var model = parts.FirstOrDefault(part => part is { IsPerRow: true, IsUniform: false }) ?? parts.First(part => part.IsPerRow);
        foreach (var part in parts)
        {
            if (!part.IsPerRow)
                return model.RowDimension == axis ? TensorFact.Refuted("puts other elements among the rows") : TensorFact.Unknown("joins a constant part to the rows");
            if (part.RowDimension != model.RowDimension || !part.Lengths[part.RowDimension].Equals(model.Lengths[model.RowDimension]) || (!part.IsUniform && !part.HasLayoutOf(model)))
                return TensorFact.Refuted("rows in different dimensions meet");
        }

        if (model.RowDimension == axis)
            return parts.Length == 1 ? model : TensorFact.Refuted("puts rows behind rows");
        SymbolicLength[] shape = [.. model.Lengths];
        shape[axis] = parts.Select(part => part.Lengths[axis]).Aggregate(call.Arithmetic.Add);
        return model.Reshaped(shape, model.RowDimension) with { IsUniform = parts.All(part => part.IsUniform) };
    }

    public static TensorFact[]? Split(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } shape)
            return null;
        var axis = call.Axis("axis", 0, shape.Length);
        var rejection = call.RejectVariableInputs()
            ?? (input.IsPerRow && axis == input.RowDimension && call.OutputCount > 1 ? TensorFact.Refuted("splits the rows by position") : null);
        if (rejection is not null)
            return [.. Enumerable.Repeat(rejection, call.OutputCount)];
        if (call.OutputCount == 1)
            return [input];
        var sizes = call.Input(1) is { } given ? given.Elements : call.Integers("split")?.Select(SymbolicLength.Of).ToArray();
        var isEven = sizes is null && call.Input(1) is null;
        var parts = new TensorFact[call.OutputCount];
        long? start = 0;
        for (var index = 0; index < parts.Length; index++)
        {
            SymbolicLength[] part = [.. shape];
            part[axis] = sizes is not null && index < sizes.Length ? call.Arithmetic.AsLength(sizes[index])
                : (isEven ? SymbolicLength.Divide(shape[axis], SymbolicLength.Of(parts.Length)) : null) ?? call.Arithmetic.NewLength();
            parts[index] = input.Reshaped(part, input.RowDimension);
            var end = part[axis].IsConstant ? start + part[axis].Constant : null;
            if (input.Elements is { } elements && shape.Length == 1 && end <= elements.Length)
                parts[index] = TensorFact.OfElements(part, elements[(int)start!..(int)end!]);
            start = end;
        }

        return parts;
    }

    public static TensorFact? Pad(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } lengths)
            return null;
        if (call.RejectVariableInputs() is { } rejection)
            return rejection;
        var pads = call.Inputs.Length > 1 ? call.ElementsOf(call.Input(1)) : (call.Integers("pads") ?? call.Integers("paddings"))?.Select(SymbolicLength.Of).ToArray();
        var axes = call.Input(3) is { } given ? OperatorCall.KnownNumbers(given) : [.. Enumerable.Range(0, lengths.Length).Select(index => (long)index)];
        if (pads is null || axes is null || pads.Length != 2 * axes.Length)
            return TensorFact.Unknown("the pads are not known");
        SymbolicLength[] shape = [.. lengths];
        for (var index = 0; index < axes.Length; index++)
        {
            var (before, after) = (pads[index], pads[index + axes.Length]);
            var axis = OperatorCall.Axis(axes[index], lengths.Length);
            if (before.Is(0) && after.Is(0))
                continue;
            if (input.IsPerRow && axis == input.RowDimension)
                return TensorFact.Refuted("pads the rows");
            shape[axis] = call.Arithmetic.AsLength(call.Arithmetic.Add(call.Arithmetic.Add(shape[axis], before), after));
        }

        return input.Reshaped(shape, input.RowDimension);
    }

    public static TensorFact? Trilu(OperatorCall call)
    {
        if (call.RejectVariableInputs() is { } rejection)
            return rejection;
        var input = call.Required(0);
        return input.Shape is not { } shape ? null
            : input.IsPerRow && input.RowDimension >= shape.Length - 2 ? TensorFact.Refuted("cuts the rows by position") : input.WithNewElements();
    }

    /// <summary>Returns the facts about a tensor after a reshape to another shape with the same number of elements.</summary>
    private static TensorFact ReshapeTo(LengthArithmetic arithmetic, TensorFact input, SymbolicLength[] shape)
    {
        if (input.IsFixed)
        {
            return shape.Any(length => length.DependsOnRowCount) ? TensorFact.Unknown("rows are made of a constant")
                : TensorFact.OfShape(shape) with { DependsOnRowCount = input.DependsOnRowCount };
        }

        var rowDimension = -1;
        for (var index = 0; index < shape.Length; index++)
        {
            if (!shape[index].DependsOnRowCount)
                continue;
            if (shape[index].IsOpaqueInRows || shape[index].RowCountPower != 1 || rowDimension >= 0)
                return TensorFact.Unknown("the rows are spread over several lengths");
            rowDimension = index;
        }

        if (rowDimension < 0)
            return TensorFact.Unknown($"reshapes to ({Text(shape)}), which does not follow the number of rows");

        // Before: the rows are at outer·N·inner. They stay together if the new lengths cut outer and inner at whole numbers.
        var outer = arithmetic.Multiply(arithmetic.Product(input.Lengths[..input.RowDimension]), input.Outer);
        var newOuter = SymbolicLength.Divide(outer, arithmetic.Product(shape[..rowDimension]));
        var block = SymbolicLength.Divide(shape[rowDimension], SymbolicLength.RowCount);
        if (newOuter is not { Constant: > 0 } || block is null || SymbolicLength.Divide(block, newOuter) is not { Constant: > 0 } newInner)
            return TensorFact.Unknown($"it cannot be shown that the rows stay together in ({Text(shape)})");
        return TensorFact.OfRows(shape, rowDimension) with { Outer = newOuter, Inner = newInner };
    }

    /// <summary>Resolves 0 (copy) and -1 (the rest) of a requested shape; returns a rejection if that is not possible.</summary>
    private static TensorFact? Resolve(OperatorCall call, TensorFact input, SymbolicLength[] requested, out SymbolicLength[] resolved)
    {
        var lengths = input.Lengths;
        resolved = new SymbolicLength[requested.Length];
        var open = -1;
        for (var index = 0; index < requested.Length; index++)
        {
            var length = requested[index];
            if (length.Is(0) && !call.Flag("allowzero"))
            {
                if (index >= lengths.Length)
                    return TensorFact.Unknown("copies a length that is not there");
                resolved[index] = lengths[index];
            }
            else if (length.Is(-1))
            {
                if (open >= 0)
                    return TensorFact.Unknown("two lengths are open");
                open = index;
            }
            else if (!length.IsNeverNegative && length.DependsOnRowCount)
            {
                return TensorFact.Unknown($"a length depends on the number of rows otherwise than as a factor ({length})");
            }
            else
            {
                resolved[index] = call.Arithmetic.AsLength(length);
            }
        }

        if (open < 0)
            return null;
        var total = call.Arithmetic.Product(lengths);
        var others = call.Arithmetic.Product(resolved.Where((_, index) => index != open));
        // The quotient must be whole for every number of rows: a request that fails alone would otherwise pass joined and share a row with its neighbor.
        if (total.Is(0))
            resolved[open] = SymbolicLength.Zero;
        else if (SymbolicLength.Divide(total, others) is { Constant: > 0 } quotient)
            resolved[open] = quotient;
        else if (!total.IsOpaqueInRows && !others.IsOpaqueInRows && total.RowCountPower == others.RowCountPower)
            resolved[open] = call.Arithmetic.NewLength();
        else
            return TensorFact.Unknown($"it cannot be shown that {total} / {others} follows the rows");
        return null;
    }

    private static TensorFact ConcatFixed(OperatorCall call, TensorFact[] parts, int axis)
    {
        SymbolicLength[] shape = [.. parts[0].Lengths];
        shape[axis] = parts.Select(part => part.Lengths[axis]).Aggregate(call.Arithmetic.Add);
        var dependsOnRowCount = parts.Any(part => part.DependsOnRowCount);
        if (shape.Length == 1)
        {
            var elements = parts.Select(call.ElementsOf).ToArray();
            if (elements.All(part => part is not null) && elements.Sum(part => part!.Length) <= Format.OnnxTensor.MaxElements)
                return TensorFact.OfElements(shape, [.. elements.SelectMany(part => part!)]) with { DependsOnRowCount = dependsOnRowCount };
        }

        return TensorFact.OfShape(shape) with { DependsOnRowCount = dependsOnRowCount };
    }

    private static TensorFact MadeRows(SymbolicLength[] shape, int rowDimension, bool isUniform) =>
        TensorFact.OfRows(shape, rowDimension) with { Inner = SymbolicLength.Divide(shape[rowDimension], SymbolicLength.RowCount)!, IsUniform = isUniform };

    private static string Text(SymbolicLength[] shape) => string.Join<SymbolicLength>(", ", shape);
}
