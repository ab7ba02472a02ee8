using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Products of matrices.</summary>
internal static class MatrixRules
{
    private const string OtherRows = "rows meet other rows";
    private const string SumsRows = "sums over the rows";

    public static TensorFact MatMul(OperatorCall call) => MatMul(call, call.Required(0), call.Required(1));

    public static TensorFact MatMulInteger(OperatorCall call) =>
        call.RejectVariableInputs(from: 2)
        ?? (call.Inputs.Skip(2).Any(zeroPoint => zeroPoint is { HasOneElement: false }) ? TensorFact.Unknown("has a zero point for each row") : MatMul(call));

    public static TensorFact QLinearMatMul(OperatorCall call) =>
        RejectScales(call, 1, 2, 4, 5, 6, 7) ?? MatMul(call, call.Required(0), call.Required(3));

    public static TensorFact? Gemm(OperatorCall call)
    {
        var (left, right) = (call.Required(0), call.Required(1));
        if (left.Shape is null || right.Shape is null)
            return call.HasConstantInputs ? TensorFact.AnyFixed : TensorFact.Unknown("the shape of a factor is not known");
        if (left.Rank != 2 || right.Rank != 2)
            return null;
        var product = MatMul(call, Turned(left, call.Flag("transA")), Turned(right, call.Flag("transB")));
        if (product.IsRejected || call.Input(2) is not { } addend)
            return product;
        if (addend.Shape is null && product.IsPerRow)
            return TensorFact.Unknown("the shape of the addend is not known");
        if (addend.Shape is { Length: > 2 })
            return null;
        var sum = ElementwiseRules.Broadcast(call, [product, addend]);
        return sum.IsPerRow && product.IsFixed ? TensorFact.Unknown("only the addend carries rows") : sum;
    }

    public static TensorFact? Einsum(OperatorCall call)
    {
        TensorFact[] factors = [.. Enumerable.Range(0, call.Inputs.Length).Select(call.Required)];
        if (factors.Any(factor => factor.Shape is null || factor.DependsOnRowCount))
            return call.HasConstantInputs ? TensorFact.AnyFixed : TensorFact.Unknown("the shape of a factor is not known");
        var equation = call.Text("equation", "").Replace(" ", "", StringComparison.Ordinal);
        if (equation.Contains('.', StringComparison.Ordinal) || equation.Split("->") is not [var left, var result] || left.Split(',') is var terms && terms.Length != factors.Length)
            return null;

        char? rowLetter = null;
        TensorFact? model = null;
        Dictionary<char, SymbolicLength> lengths = [];
        for (var index = 0; index < factors.Length; index++)
        {
            var (term, factor) = (terms[index], factors[index]);
            if (term.Length != factor.Rank)
                return null;
            for (var position = 0; position < term.Length; position++)
            {
                if (!lengths.TryGetValue(term[position], out var length) || length.Is(1))
                    lengths[term[position]] = factor.Lengths[position];
            }

            if (!factor.IsPerRow)
                continue;
            if (rowLetter is { } other && term[factor.RowDimension] != other)
                return TensorFact.Refuted(OtherRows);
            if (model is not null && !(model.HasLayoutOf(factor) && model.Lengths[model.RowDimension].Equals(factor.Lengths[factor.RowDimension])))
                return TensorFact.Refuted("rows in different order meet");
            (rowLetter, model) = (term[factor.RowDimension], factor);
        }

        if (result.Any(letter => !lengths.ContainsKey(letter)))
            return null;
        SymbolicLength[] shape = [.. result.Select(letter => lengths[letter])];
        if (rowLetter is not { } row)
            return TensorFact.OfShape(shape);
        for (var index = 0; index < factors.Length; index++)
        {
            var uses = terms[index].Count(letter => letter == row);
            if (factors[index].IsPerRow && uses != 1)
                return TensorFact.Refuted("takes the diagonal of the rows");
            if (!factors[index].IsPerRow && uses > 0)
                return TensorFact.Unknown("a constant lies along the rows");
        }

        return result.Count(letter => letter == row) != 1 ? TensorFact.Refuted(SumsRows)
            : model!.Reshaped(shape, result.IndexOf(row, StringComparison.Ordinal)) with { IsUniform = false };
    }

    public static TensorFact? Det(OperatorCall call)
    {
        var input = call.Required(0);
        return input.Shape is not { Length: >= 2 } shape ? null
            : input.IsPerRow && input.RowDimension >= shape.Length - 2 ? TensorFact.Refuted("takes rows for columns")
            : input.Reshaped(shape[..^2], input.RowDimension);
    }

    public static TensorFact? Dft(OperatorCall call)
    {
        var input = call.Required(0);
        if (call.RejectVariableInputs() is not null || input.Shape is not { } shape)
            return null;
        var axis = call.Input(2) is { } given ? OperatorCall.KnownNumbers(given) is [var known] ? known : (long?)null : call.Integer("axis", call.Opset >= 20 ? -2 : 1);
        if (axis is not { } along || (input.IsPerRow && (OperatorCall.Axis(along, shape.Length) == input.RowDimension || input.RowDimension == shape.Length - 1)))
            return null;
        return input.Reshaped([.. shape.Select((length, index) => index == input.RowDimension ? length : call.Arithmetic.NewLength())], input.RowDimension);
    }

    /// <summary>Returns the rejection that follows if a scale or zero point is not a single constant; null if all are.</summary>
    public static TensorFact? RejectScales(OperatorCall call, params ReadOnlySpan<int> inputs)
    {
        foreach (var index in inputs)
        {
            if (call.Input(index) is { } scale && !(scale.IsConstant && scale.HasOneElement))
                return TensorFact.Unknown("a scale or zero point is not a single constant");
        }

        return null;
    }

    /// <summary>Multiplies as NumPy's matmul does: the last two dimensions are matrices, those before them are broadcast.</summary>
    public static TensorFact MatMul(OperatorCall call, TensorFact left, TensorFact right)
    {
        if (left.DependsOnRowCount || right.DependsOnRowCount)
            return TensorFact.Unknown("the number of rows is used as a value");
        if (left.Shape is null || right.Shape is null)
            return left.IsFixed && right.IsFixed ? TensorFact.AnyFixed : TensorFact.Unknown("the shape of a factor is not known");
        if (left.Rank == 0 || right.Rank == 0)
            return TensorFact.Unknown("a factor is a scalar");
        var (isRowVector, isColumnVector) = (left.Rank == 1, right.Rank == 1);
        if (isRowVector)
            left = left.Reshaped([SymbolicLength.One, left.Lengths[0]], left.RowDimension + 1);
        if (isColumnVector)
            right = right.Reshaped([right.Lengths[0], SymbolicLength.One], right.RowDimension);
        if ((left.IsPerRow && left.RowDimension == left.Rank - 1) || (right.IsPerRow && right.RowDimension == right.Rank - 2))
            return TensorFact.Refuted(SumsRows);

        var rank = Math.Max(left.Rank, right.Rank);
        var (leftRows, rightRows) = (rank - left.Rank + left.RowDimension, rank - right.Rank + right.RowDimension);
        if (left.IsPerRow && right.IsPerRow && (leftRows != rightRows || leftRows >= rank - 2))
            return TensorFact.Refuted(OtherRows);
        var leading = ElementwiseRules.Broadcast(call, [Leading(left), Leading(right)]);
        if (leading.IsRejected)
            return leading;
        SymbolicLength[] shape = [.. leading.Lengths, left.Lengths[^2], right.Lengths[^1]];
        var product = leading.IsPerRow ? leading.Reshaped(shape, leading.RowDimension)
            : left.IsPerRow ? left.Reshaped(shape, rank - 2)
            : right.IsPerRow ? right.Reshaped(shape, rank - 1)
            : TensorFact.OfShape(shape);
        if (isRowVector)
            product = product.Reshaped([.. product.Lengths[..^2], product.Lengths[^1]], product.RowDimension == product.Rank - 1 ? product.RowDimension - 1 : product.RowDimension);
        if (!isColumnVector)
            return product;
        return product.IsPerRow && product.RowDimension == product.Rank - 1 && !isRowVector
            ? TensorFact.Unknown("rows are in a vector") : product.Reshaped(product.Lengths[..^1], product.RowDimension);
    }

    /// <summary>Returns a matrix, or the matrices of a batch, transposed or as it is.</summary>
    public static TensorFact Turned(TensorFact factor, bool isTransposed)
    {
        if (!isTransposed)
            return factor;
        var (rows, rank) = (factor.RowDimension, factor.Rank);
        return factor.Reshaped([.. factor.Lengths[..^2], factor.Lengths[^1], factor.Lengths[^2]], rows == rank - 1 ? rank - 2 : rows == rank - 2 ? rank - 1 : rows);
    }

    private static TensorFact Leading(TensorFact factor) => factor.IsPerRow && factor.RowDimension < factor.Rank - 2
        ? factor.Reshaped(factor.Lengths[..^2], factor.RowDimension) : TensorFact.OfShape(factor.Lengths[..^2]);
}
