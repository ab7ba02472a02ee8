using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators on items of [items, channels, height, width …], each item on its own.</summary>
internal static class ImageRules
{
    /// <summary>Returns the rejection that follows if the rows are not the items; null if they are, or if there are no rows.</summary>
    public static TensorFact? RejectRowsElsewhere(TensorFact input)
    {
        if (!input.IsPerRow)
            return !input.IsConstant ? TensorFact.Unknown("depends on the number of rows") : input.Shape is null ? TensorFact.AnyFixed : null;
        return input.RowDimension != 0 ? TensorFact.Refuted("takes the rows for something other than items")
            : input.Rank < 3 ? TensorFact.Unknown("there are too few dimensions") : null;
    }

    public static TensorFact? Conv(OperatorCall call, int weights) =>
        call.RejectVariableInputs() ?? Convolved(call, call.Required(0), call.Required(weights));

    public static TensorFact Convolved(OperatorCall call, TensorFact input, TensorFact weights)
    {
        if (RejectRowsElsewhere(input) is { } rejection)
            return rejection;
        SymbolicLength[] shape = [.. input.Lengths];
        var kernel = weights.Shape is { } lengths && lengths.Length == shape.Length ? lengths : null;
        shape[1] = kernel?[0] ?? call.Arithmetic.NewLength();
        for (var axis = 2; axis < shape.Length; axis++)
        {
            var size = kernel?[axis] ?? (call.Integers("kernel_shape") is { } given && given.Length == shape.Length - 2 ? SymbolicLength.Of(given[axis - 2]) : call.Arithmetic.NewLength());
            shape[axis] = WindowCount(call, shape[axis], size, axis - 2, shape.Length - 2, isPool: false);
        }

        return input.Reshaped(shape, input.RowDimension);
    }

    public static TensorFact? ConvTranspose(OperatorCall call)
    {
        if ((call.RejectVariableInputs() ?? RejectRowsElsewhere(call.Required(0))) is { } rejection)
            return rejection;
        var input = call.Required(0);
        return input.Reshaped([input.Lengths[0], .. input.Lengths[1..].Select(_ => call.Arithmetic.NewLength())], input.RowDimension);
    }

    public static TensorFact[]? Pool(OperatorCall call)
    {
        var input = call.Required(0);
        if (RejectRowsElsewhere(input) is { } rejection)
            return OperatorRules.FirstAndOthers(call, rejection, rejection);
        SymbolicLength[] shape = [.. input.Lengths];
        var kernel = call.Integers("kernel_shape");
        var isGlobal = call.Operator.Contains("Global", StringComparison.Ordinal);
        for (var axis = 2; axis < shape.Length; axis++)
        {
            shape[axis] = isGlobal ? SymbolicLength.One
                : kernel is null || kernel.Length != shape.Length - 2 ? call.Arithmetic.NewLength()
                : WindowCount(call, shape[axis], SymbolicLength.Of(kernel[axis - 2]), axis - 2, shape.Length - 2, isPool: true);
        }

        return OperatorRules.FirstAndOthers(call, input.Reshaped(shape, input.RowDimension),
            input.IsPerRow ? TensorFact.Refuted("numbers the places it finds through all rows") : TensorFact.AnyFixed);
    }

    public static TensorFact? DepthToSpace(OperatorCall call)
    {
        var input = call.Required(0);
        if (RejectRowsElsewhere(input) is { } rejection)
            return rejection;
        if (input.Lengths is not [var items, var channels, var height, var width])
            return null;
        var (arithmetic, block) = (call.Arithmetic, SymbolicLength.Of(call.Integer("blocksize", 1)));
        var area = arithmetic.Multiply(block, block);
        return call.Operator == "DepthToSpace"
            ? input.Reshaped([items, arithmetic.Divide(channels, area), arithmetic.Multiply(height, block), arithmetic.Multiply(width, block)], input.RowDimension)
            : input.Reshaped([items, arithmetic.Multiply(channels, area), arithmetic.Divide(height, block), arithmetic.Divide(width, block)], input.RowDimension);
    }

    public static TensorFact? GridSample(OperatorCall call)
    {
        var rows = IndexRules.CommonRows(call.Inputs);
        if (rows.IsRejected)
            return rows;
        var (image, grid) = (call.Required(0), call.Required(1));
        return rows is { IsPerRow: true, RowDimension: 0 } ? image.Reshaped([image.Lengths[0], image.Lengths[1], .. grid.Lengths[1..^1]], 0) with { IsUniform = false } : null;
    }

    public static TensorFact? Resize(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } lengths)
            return null;
        if (call.Text("coordinate_transformation_mode", "") == "tf_crop_and_resize")
            return TensorFact.Unknown("crops");
        if (call.Inputs.Skip(1).Any(size => size is { IsPerRow: true }))
            return TensorFact.Unknown("the size depends on the data of the rows");
        var isOld = call.Operator == "Upsample" || call.Opset == 10;
        var scales = call.Input(isOld ? 1 : 2) is { } given && given.Shape is not [{ IsConstant: true, Constant: 0 }] ? given : null;
        var sizes = isOld ? null : call.Input(3);
        int[] axes = call.Integers("axes") is { } some ? [.. some.Select(axis => OperatorCall.Axis(axis, lengths.Length))] : [.. Enumerable.Range(0, lengths.Length)];
        SymbolicLength[] shape = [.. lengths];
        foreach (var axis in axes.Where(axis => axis != input.RowDimension))
            shape[axis] = call.Arithmetic.NewLength();
        if (!input.IsPerRow)
            return call.HasConstantInputs ? TensorFact.OfShape(shape) : TensorFact.Unknown("depends on the number of rows");

        var rows = Array.IndexOf(axes, input.RowDimension);
        if (sizes is not null)
        {
            if (call.Text("keep_aspect_ratio_policy", "stretch") != "stretch")
                return TensorFact.Unknown("keeps the aspect ratio over the rows, too");
            if (call.ElementsOf(sizes) is not { } requested || requested.Length != axes.Length || requested.Where((size, index) => index != rows && size.DependsOnRowCount).Any())
                return TensorFact.Unknown("the sizes are not known");
            if (rows >= 0 && !requested[rows].Equals(lengths[input.RowDimension]))
                return TensorFact.Unknown($"resizes the rows to {requested[rows]}");
            for (var index = 0; index < axes.Length; index++)
            {
                if (index != rows)
                    shape[axes[index]] = call.Arithmetic.AsLength(requested[index]);
            }

            return input.Reshaped(shape, input.RowDimension);
        }

        if (scales is { IsConstant: false })
            return TensorFact.Unknown("the scales depend on the number of rows");
        var factors = scales is not null ? scales.Constant?.ReadNumbers() : call.Attribute("scales")?.Floats;
        if (rows >= 0 && (factors is null || factors.Length != axes.Length || factors[rows] != 1))
            return TensorFact.Unknown("the scale of the rows is not known to be 1");
        for (var index = 0; index < axes.Length && factors?.Length == axes.Length; index++)
        {
            var (length, factor) = (lengths[axes[index]], factors[index]);
            if (index == rows)
                continue;
            if (length.IsConstant)
                shape[axes[index]] = SymbolicLength.Of((long)Math.Floor(length.Constant * factor));
            else if (factor > 0 && factor == Math.Floor(factor))
                shape[axes[index]] = call.Arithmetic.Multiply(length, SymbolicLength.Of((long)factor));
        }

        return input.Reshaped(shape, input.RowDimension);
    }

    private static SymbolicLength WindowCount(OperatorCall call, SymbolicLength length, SymbolicLength kernel, int axis, int axes, bool isPool)
    {
        var (stride, dilation) = (At("strides", 1), At("dilations", 1));
        var automatic = call.Text("auto_pad", "NOTSET");
        if (automatic is "SAME_UPPER" or "SAME_LOWER")
        {
            return length.IsConstant && stride > 0 ? SymbolicLength.Of((length.Constant + stride - 1) / stride)
                : call.Arithmetic.Computed($"same({length},{stride})", dependsOnRowCount: false, isNeverNegative: true);
        }

        var pads = call.Integers("pads");
        var pad = automatic == "VALID" || pads is null || pads.Length != 2 * axes ? 0 : pads[axis] + pads[axis + axes];
        var roundsUp = isPool && call.Flag("ceil_mode");
        if (length.IsConstant && kernel.IsConstant && stride > 0 && !roundsUp)
        {
            var free = length.Constant + pad - (dilation * (kernel.Constant - 1)) - 1;
            return free < 0 ? SymbolicLength.Zero : SymbolicLength.Of((free / stride) + 1);
        }

        return stride == 1 && kernel.IsConstant && pad == dilation * (kernel.Constant - 1) ? length
            : call.Arithmetic.Computed($"windows({length},{kernel},{stride},{dilation},{pad},{roundsUp})", dependsOnRowCount: false, isNeverNegative: true);

        long At(string attribute, long otherwise) => call.Integers(attribute) is { } values && axis < values.Length ? values[axis] : otherwise;
    }
}
