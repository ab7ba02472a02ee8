using Serve.Inference.Analysis.Facts;
using Serve.Inference.Analysis.Format;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators that pick or place elements by position.</summary>
internal static class IndexRules
{
    private const string ByPosition = "picks rows by their position";
    private const string OtherRows = "rows meet other rows";
    private const string RowCountAsValue = "the number of rows is used as a value";

    public static TensorFact CountDependsOnData(OperatorCall call) =>
        call is { HasConstantInputs: true, Operator: "NonZero" } && call.Required(0).Shape is { } shape
            ? TensorFact.OfShape(SymbolicLength.Of(shape.Length), call.Arithmetic.NewLength())
        : call.HasConstantInputs ? TensorFact.AnyFixed : TensorFact.Refuted("the number of results depends on all rows");

    public static TensorFact? Slice(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } lengths)
            return null;
        var isOld = call.Inputs.Length == 1;
        var (starts, ends, axes, steps) = isOld ? (Vector("starts"), Vector("ends"), Vector("axes"), null) : (call.Input(1), call.Input(2), call.Input(3), call.Input(4));
        if (new[] { starts, ends, axes, steps }.Any(bound => bound is { IsPerRow: true }))
            return TensorFact.Unknown("the bounds depend on the data of the rows");
        if (call.ElementsOf(starts) is not { } from || call.ElementsOf(ends) is not { } to || from.Length != to.Length)
            return TensorFact.Unknown("the bounds are not known");
        var along = axes is null ? [.. Enumerable.Range(0, from.Length).Select(index => (long)index)] : OperatorCall.KnownNumbers(axes);
        var strides = steps is null ? [.. Enumerable.Repeat(SymbolicLength.One, from.Length)] : call.ElementsOf(steps);
        if (along is null || along.Length != from.Length || strides is null || strides.Length != from.Length)
            return TensorFact.Unknown("the axes or steps are not known");

        SymbolicLength[] shape = [.. lengths];
        var elements = input.Elements;
        for (var index = 0; index < along.Length; index++)
        {
            var axis = OperatorCall.Axis(along[index], lengths.Length);
            var (start, end, step) = (from[index], to[index], strides[index]);
            if (start.Is(0) && step.Is(1) && (end is { IsConstant: true, Constant: >= int.MaxValue } || (end.Equals(lengths[axis]) && end.IsNeverNegative)))
                continue;
            if (input.IsPerRow && axis == input.RowDimension)
                return TensorFact.Refuted("takes rows by their position");
            if (start.DependsOnRowCount || end.DependsOnRowCount || step.DependsOnRowCount)
                return TensorFact.Refuted("the bounds depend on the number of rows");
            if (lengths[axis].IsConstant && start.IsConstant && end.IsConstant && step is { IsConstant: true, Constant: not 0 })
            {
                var (first, count) = Resolve(lengths[axis].Constant, start.Constant, end.Constant, step.Constant);
                shape[axis] = SymbolicLength.Of(count);
                elements = elements is null || along.Length > 1 ? null
                    : input.PickElements(shape, place => [.. place.Select((position, dimension) => dimension == axis ? (int)(first + (position * step.Constant)) : position)]);
            }
            else
            {
                elements = null;
                shape[axis] = call.Arithmetic.Computed($"slice({lengths[axis]},{start},{end},{step})", dependsOnRowCount: false, isNeverNegative: true);
            }
        }

        if (elements is not null)
            return TensorFact.OfElements(shape, elements);
        return input is { IsFixed: true, DependsOnRowCount: true } ? TensorFact.Unknown("part of a shape is not known") : input.Reshaped(shape, input.RowDimension);

        TensorFact? Vector(string attribute) => call.Integers(attribute) is { } values ? TensorFact.OfVector([.. values.Select(SymbolicLength.Of)]) : null;
    }

    public static TensorFact? Gather(OperatorCall call)
    {
        var (data, indices) = (call.Required(0), call.Required(1));
        if (data.Shape is not { } lengths || indices.Shape is not { } places)
            return data.IsConstant && indices.IsConstant ? TensorFact.AnyFixed : TensorFact.Unknown("a shape is not known");
        var axis = call.Axis("axis", 0, lengths.Length);
        SymbolicLength[] shape = [.. lengths[..axis], .. places, .. lengths[(axis + 1)..]];
        if (data.IsPerRow && indices.IsPerRow)
            return TensorFact.Refuted(data.RowDimension == axis ? "picks rows by numbers from the rows" : OtherRows);
        if (data.IsPerRow)
        {
            return indices.DependsOnRowCount ? TensorFact.Refuted(RowCountAsValue)
                : data.RowDimension == axis ? TensorFact.Refuted(ByPosition)
                : data.Reshaped(shape, data.RowDimension < axis ? data.RowDimension : data.RowDimension - 1 + places.Length);
        }

        if (indices.IsPerRow)
            return data.DependsOnRowCount ? TensorFact.Refuted(RowCountAsValue) : indices.Reshaped(shape, axis + indices.RowDimension);
        if (data.Elements is { } elements && lengths.Length == 1 && OperatorCall.KnownNumbers(indices) is { } known && known.All(index => index >= -elements.Length && index < elements.Length))
            return TensorFact.OfElements(shape, [.. known.Select(index => elements[index < 0 ? index + elements.Length : index])]);
        return data.DependsOnRowCount || indices.DependsOnRowCount ? TensorFact.Unknown("part of a shape is not known") : TensorFact.OfShape(shape);
    }

    public static TensorFact GatherElements(OperatorCall call)
    {
        var (data, indices) = (call.Required(0), call.Required(1));
        if (data.Shape is null || indices.Shape is null || (data.IsFixed && indices.IsFixed))
            return data.IsConstant && indices.IsConstant ? indices.Shape is { } known ? TensorFact.OfShape(known) : TensorFact.AnyFixed : TensorFact.Unknown("a shape is not known");
        var axis = call.Axis("axis", 0, data.Rank);
        if (data.IsPerRow && indices.IsPerRow)
        {
            return data.RowDimension != indices.RowDimension || !data.HasLayoutOf(indices) ? TensorFact.Refuted(OtherRows)
                : data.RowDimension == axis ? TensorFact.Refuted("picks rows by numbers from the rows")
                : indices.WithNewElements() with { IsUniform = false };
        }

        return indices.IsPerRow && data.IsConstant && indices.RowDimension == axis ? indices.WithNewElements() : TensorFact.Refuted(ByPosition);
    }

    public static TensorFact GatherNd(OperatorCall call)
    {
        var (data, indices) = (call.Required(0), call.Required(1));
        if (data.Shape is not { } lengths || indices.Shape is not { } places || (data.IsFixed && indices.IsFixed))
            return data.IsConstant && indices.IsConstant ? TensorFact.AnyFixed : TensorFact.Unknown("a shape is not known");
        if (!places[^1].IsConstant)
            return TensorFact.Unknown("the number of indices is not known");
        var batch = (int)call.Integer("batch_dims", 0);
        var indexed = batch + (int)places[^1].Constant;
        if (indexed > lengths.Length)
            return TensorFact.Unknown("there are more indices than dimensions");
        SymbolicLength[] shape = [.. places[..^1], .. lengths[indexed..]];
        if (data.IsPerRow && indices.IsPerRow)
        {
            return data.RowDimension == indices.RowDimension && data.RowDimension < batch && data.HasLayoutOf(indices)
                ? data.Reshaped(shape, data.RowDimension) with { IsUniform = false }
                : TensorFact.Refuted("picks rows by numbers from the rows");
        }

        if (indices.IsPerRow)
        {
            return data.IsConstant && indices.RowDimension >= batch && indices.RowDimension < places.Length - 1
                ? indices.Reshaped(shape, indices.RowDimension) : TensorFact.Refuted(ByPosition);
        }

        return data.RowDimension >= indexed && indices.IsConstant
            ? data.Reshaped(shape, data.RowDimension - indexed + places.Length - 1) : TensorFact.Refuted(ByPosition);
    }

    public static TensorFact? ScatterElements(OperatorCall call)
    {
        var rows = CommonRows(call.Inputs);
        return rows.IsRejected ? rows : rows.IsFixed ? null
            : call.Axis("axis", 0, rows.Rank) == rows.RowDimension ? TensorFact.Refuted("scatters along the rows")
            : call.Required(0).WithNewElements() with { IsUniform = false };
    }

    public static TensorFact? OneHot(OperatorCall call)
    {
        if (call.RejectVariableInputs() is { } rejection)
            return rejection;
        var input = call.Required(0);
        if (input.Shape is not { } lengths)
            return null;
        var axis = call.Axis("axis", -1, lengths.Length + 1);
        List<SymbolicLength> shape = [.. lengths];
        shape.Insert(axis, call.Required(1).Elements is [var depth] ? call.Arithmetic.AsLength(depth) : call.Arithmetic.NewLength());
        return input.Reshaped([.. shape], input.RowDimension >= axis ? input.RowDimension + 1 : input.RowDimension);
    }

    public static TensorFact? Compress(OperatorCall call)
    {
        var input = call.Required(0);
        if (input.Shape is not { } lengths)
            return null;
        if (!call.Required(1).IsConstant || !call.Has("axis"))
            return CountDependsOnData(call);
        var axis = call.Axis("axis", 0, lengths.Length);
        return input.RowDimension == axis ? TensorFact.Refuted(ByPosition)
            : input.Reshaped([.. lengths.Select((length, index) => index == axis ? call.Arithmetic.NewLength() : length)], input.RowDimension);
    }

    /// <summary>
    /// Follows x[arange(N), i]: the numbers of the rows, put before numbers of the row itself, pick from that row. Returns null for any other use of row numbers.
    /// </summary>
    public static TensorFact? UseRowNumbers(OnnxNode node, TensorFact?[] inputs)
    {
        if (node.Domain.Length > 0 || inputs is not [{ } first, ..] || inputs.Any(input => input is null || input is { IsRejected: true, RowNumbersShape: null }))
            return null;
        var call = new OperatorCall(node, inputs, opset: 0, new());
        switch (node.Operator)
        {
            case "Identity":
            case "Cast" when call.Integer("to", 0) is OperatorCall.Int32 or OperatorCall.Int64:
                return first;
            case "Unsqueeze" when first is { RowNumbersShape: { } shape, HasIndexColumns: false } && call.NumbersOfInputOrAttribute(1, "axes") is [var given]:
                if (given < -shape.Length - 1 || given > shape.Length)
                    return null;
                var axis = OperatorCall.Axis(given, shape.Length + 1);
                return axis == 0 ? null : first with { RowNumbersShape = [.. shape[..axis], SymbolicLength.One, .. shape[axis..]] };
            case "Concat" when first is { RowNumbersShape: [_, var width], HasIndexColumns: false } && width.Is(1) && call.Integer("axis", 1) is 1 or -1 && inputs.Length > 1:
                return inputs.Skip(1).All(input => input is { HasPlainRows: true, Rank: 2 } && input.Lengths[1].IsConstant)
                    ? first with { RowNumbersShape = [SymbolicLength.RowCount, SymbolicLength.Of(1 + inputs.Skip(1).Sum(input => input!.Lengths[1].Constant))], HasIndexColumns = true }
                    : null;
            case "GatherND" when inputs is [{ HasPlainRows: true } data, { HasIndexColumns: true, RowNumbersShape: [_, var columns] }] && !call.Flag("batch_dims") && columns.Constant <= data.Rank:
                return TensorFact.OfRows([SymbolicLength.RowCount, .. data.Lengths[(int)columns.Constant..]], rowDimension: 0);
            default:
                return null;
        }
    }

    /// <summary>Returns the first input that carries rows if all inputs carry them alike; otherwise a rejection or a fixed fact.</summary>
    public static TensorFact CommonRows(TensorFact?[] inputs, bool inSameDimension = true)
    {
        if (inputs.FirstOrDefault(input => input is { IsPerRow: true }) is not { } first)
            return inputs.All(input => input is null or { IsConstant: true }) ? TensorFact.AnyFixed : TensorFact.Unknown("depends on the number of rows");
        foreach (var input in inputs.OfType<TensorFact>())
        {
            if (!input.IsPerRow)
                return TensorFact.Unknown("joins rows and values that do not follow them");
            if ((inSameDimension && input.RowDimension != first.RowDimension) || !input.HasLayoutOf(first))
                return TensorFact.Refuted("rows in different dimensions meet");
        }

        return first;
    }

    private static (long First, long Count) Resolve(long length, long start, long end, long step)
    {
        var (from, to) = (start < 0 ? start + length : start, end < 0 ? end + length : end);
        (from, to) = step > 0 ? (Math.Clamp(from, 0, length), Math.Clamp(to, 0, length)) : (Math.Clamp(from, 0, Math.Max(0, length - 1)), Math.Clamp(to, -1, length - 1));
        return (from, (long)Math.Max(0, Math.Ceiling(((decimal)to - from) / step)));
    }
}
