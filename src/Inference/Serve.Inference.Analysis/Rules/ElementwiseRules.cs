using Serve.Inference.Analysis.Facts;

namespace Serve.Inference.Analysis.Rules;

/// <summary>Operators that work element by element, with broadcasting from the right.</summary>
internal static class ElementwiseRules
{
    public static readonly string[] Operators =
    [
        "Abs", "Acos", "Acosh", "Add", "And", "Asin", "Asinh", "Atan", "Atanh", "BitShift", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor", "BitCast", "Cast", "Ceil",
        "Celu", "Clip", "Cos", "Cosh", "Div", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "IsInf", "IsNaN",
        "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Mean", "Min", "Mish", "Mod", "Mul", "Neg", "Not", "Or", "PRelu", "Pow", "Reciprocal", "Relu", "Round", "Selu", "Shrink",
        "Sigmoid", "Sign", "Sin", "Sinh", "Softplus", "Softsign", "Sqrt", "StringConcat", "RegexFullMatch", "Sub", "Sum", "Swish", "Tan", "Tanh", "ThresholdedRelu", "Where", "Xor",
    ];

    public static TensorFact? Elementwise(OperatorCall call)
    {
        if (call.Opset < 7 && call.Has("axis"))
            return null;
        // Older opsets do not broadcast: a constant with a first length of 1 then fits one row only.
        var isBroadcast = call.Opset >= 8 || (call.Operator is not ("Sum" or "Mean" or "Max" or "Min") && (call.Opset == 7 || call.Flag("broadcast")));
        var given = call.Inputs.OfType<TensorFact>().ToList();
        if (!isBroadcast && given.Count > 1 && given.Any(input => input.IsPerRow) && !given.All(input => input.IsPerRow))
            return null;
        var result = Broadcast(call, call.Inputs);
        return result.IsFixed && ComputeElements(call) is { } elements && result.Shape is { } shape
            ? TensorFact.OfElements(shape, elements) with { DependsOnRowCount = result.DependsOnRowCount || elements.Any(element => element.DependsOnRowCount) }
            : result;
    }

    public static TensorFact Dropout(OperatorCall call)
    {
        var isTraining = call.Opset >= 12 ? call.Input(2) is { } mode && OperatorCall.KnownNumbers(mode) is not [0] : call.Opset < 7 && !call.Flag("is_test");
        return isTraining ? TensorFact.Random("is random: dropout in training mode") : call.Required(0).WithNewElements();
    }

    /// <summary>Returns the facts about the result of broadcasting tensors against each other.</summary>
    public static TensorFact Broadcast(OperatorCall call, IEnumerable<TensorFact?> given)
    {
        var inputs = given.OfType<TensorFact>().ToList();
        if (inputs.Count == 1)
            return inputs[0].WithNewElements();
        var hasRows = inputs.Any(input => input.IsPerRow);
        var dependsOnRowCount = inputs.Any(input => input.DependsOnRowCount);
        if (hasRows && dependsOnRowCount)
            return TensorFact.Refuted("the number of rows is used as a value");
        if (inputs.Any(input => input.Shape is null))
            return hasRows ? TensorFact.Unknown("a constant of unknown shape meets the rows") : dependsOnRowCount ? TensorFact.Unknown("a shape is not known") : TensorFact.AnyFixed;

        var rank = inputs.Max(input => input.Rank);
        var rowDimension = -1;
        TensorFact? model = null;
        foreach (var input in inputs.Where(input => input.IsPerRow))
        {
            var position = rank - input.Rank + input.RowDimension;
            if (model is not null && position != rowDimension)
                return TensorFact.Refuted("rows meet other rows");
            if (model is null || (model.IsUniform && !input.IsUniform))
                model = input;
            rowDimension = position;
        }

        var shape = new SymbolicLength[rank];
        for (var dimension = 0; dimension < rank; dimension++)
        {
            if (dimension == rowDimension)
            {
                if (CheckRows(inputs, model!, rank, dimension) is { } rejection)
                    return rejection;
                shape[dimension] = model!.Lengths[model.RowDimension];
            }
            else
            {
                shape[dimension] = CommonLength(call.Arithmetic, inputs, rank, dimension);
            }
        }

        return model is null
            ? TensorFact.OfShape(shape) with { DependsOnRowCount = dependsOnRowCount }
            : model.Reshaped(shape, rowDimension) with { IsUniform = inputs.Where(input => input.IsPerRow).All(input => input.IsUniform) };
    }

    private static TensorFact? CheckRows(List<TensorFact> inputs, TensorFact model, int rank, int dimension)
    {
        var rows = model.Lengths[model.RowDimension];
        foreach (var input in inputs)
        {
            var position = dimension - (rank - input.Rank);
            if (position < 0)
                continue;
            var length = input.Lengths[position];
            if (!input.IsPerRow)
            {
                // A known 1 is repeated for every row; a symbol could be 1 or the number of rows.
                if (!length.Is(1))
                    return TensorFact.Unknown($"a length of {length} that does not follow the rows meets them");
                continue;
            }

            if (!length.Equals(rows))
                return TensorFact.Unknown($"rows of different multiples meet ({length} and {rows})");
            if (!input.IsUniform && !input.HasLayoutOf(model))
                return TensorFact.Refuted("rows in different order meet");
        }

        return null;
    }

    private static SymbolicLength CommonLength(LengthArithmetic arithmetic, List<TensorFact> inputs, int rank, int dimension)
    {
        SymbolicLength? common = null;
        foreach (var input in inputs)
        {
            var position = dimension - (rank - input.Rank);
            if (position < 0)
                continue;
            var length = input.Lengths[position];
            common = common is null || common.Is(1) ? length
                : length.Is(1) || length.Equals(common) || common.IsConstant ? common
                : length.IsConstant ? length : arithmetic.NewLength();
        }

        return common!;
    }

    private static SymbolicLength[]? ComputeElements(OperatorCall call)
    {
        if (call.Operator == "Cast" && call.Integer("to", 0) is not (OperatorCall.Int32 or OperatorCall.Int64 or OperatorCall.Bool))
            return null;
        var inputs = call.Inputs.OfType<TensorFact>().ToList();
        if (inputs.Count != call.Inputs.Length || inputs.Any(input => input.Elements is null || input.Shape is not { Length: <= 1 }))
            return null;
        if (inputs.Count > 2 && call.Operator != "Where")
            return null;
        var count = inputs.Max(input => input.Elements!.Length);
        if (inputs.Any(input => input.Elements!.Length != count && input.Elements.Length != 1))
            return null;
        var elements = new SymbolicLength[count];
        for (var index = 0; index < count; index++)
        {
            if (Compute(call, [.. inputs.Select(input => input.Elements![input.Elements.Length == 1 ? 0 : index])]) is not { } element)
                return null;
            elements[index] = element;
        }

        return elements;
    }

    private static SymbolicLength? Compute(OperatorCall call, SymbolicLength[] x)
    {
        var arithmetic = call.Arithmetic;
        if (x.Length == 1)
        {
            return call.Operator switch
            {
                "Identity" or "Max" or "Min" or "Sum" => x[0],
                "Cast" => Cast(x[0], call.Integer("to", 0)),
                "Neg" => arithmetic.Multiply(x[0], SymbolicLength.Of(-1)),
                "Not" => x[0].IsConstant ? Bool(x[0].Constant == 0) : arithmetic.Function("not", x),
                _ => null,
            };
        }

        if (call.Operator == "Where")
            return x[0].IsConstant ? x[0].Constant != 0 ? x[1] : x[2] : x[1].Equals(x[2]) ? x[1] : arithmetic.Function("where", x);
        return call.Operator switch
        {
            "Add" => arithmetic.Add(x[0], x[1]),
            "Sub" => arithmetic.Subtract(x[0], x[1]),
            "Mul" => arithmetic.Multiply(x[0], x[1]),
            "Div" => arithmetic.Divide(x[0], x[1]),
            "Max" when x[0].IsNeverNegative && x[1].Is(0) => x[0],
            "Max" when x[1].IsNeverNegative && x[0].Is(0) => x[1],
            "Max" => Known(arithmetic, "max", x, Math.Max),
            "Min" => Known(arithmetic, "min", x, Math.Min),
            "Mod" when x[1].IsConstant && x[1].Constant <= 0 => arithmetic.Function("mod" + call.Integer("fmod", 0), x),
            "Mod" when x[0].IsConstant && x[0].Constant < 0 => arithmetic.Function("mod" + call.Integer("fmod", 0), x),
            "Mod" => Known(arithmetic, "mod" + call.Integer("fmod", 0), x, static (a, b) => a % b),
            "Equal" => AreEqual(x[0], x[1]) is { } equal ? Bool(equal) : arithmetic.Function("equal", x),
            "Greater" => Known(arithmetic, "greater", x, static (a, b) => a > b ? 1 : 0),
            "Less" => Known(arithmetic, "less", x, static (a, b) => a < b ? 1 : 0),
            "GreaterOrEqual" => Known(arithmetic, "greaterOrEqual", x, static (a, b) => a >= b ? 1 : 0),
            "LessOrEqual" => Known(arithmetic, "lessOrEqual", x, static (a, b) => a <= b ? 1 : 0),
            "And" => Known(arithmetic, "and", x, static (a, b) => a != 0 && b != 0 ? 1 : 0),
            "Or" => Known(arithmetic, "or", x, static (a, b) => a != 0 || b != 0 ? 1 : 0),
            _ => null,
        };
    }

    private static SymbolicLength Known(LengthArithmetic arithmetic, string name, SymbolicLength[] x, Func<long, long, long> compute) =>
        x[0].IsConstant && x[1].IsConstant ? SymbolicLength.Of(compute(x[0].Constant, x[1].Constant)) : arithmetic.Function(name, x);

    private static SymbolicLength? Cast(SymbolicLength x, long type) => type switch
    {
        OperatorCall.Bool => x.IsConstant ? Bool(x.Constant != 0) : null,
        OperatorCall.Int32 when x.IsConstant && x.Constant != (int)x.Constant => null,
        _ => x,
    };

    private static SymbolicLength Bool(bool value) => value ? SymbolicLength.One : SymbolicLength.Zero;

    // A length is never negative, which decides the comparison with -1 in the graphs of expand().
    private static bool? AreEqual(SymbolicLength left, SymbolicLength right) =>
        left.IsConstant && right.IsConstant ? left.Constant == right.Constant
        : left.Equals(right) ? true
        : (left is { IsConstant: true, Constant: < 0 } && right.IsNeverNegative) || (right is { IsConstant: true, Constant: < 0 } && left.IsNeverNegative) ? false
        : null;
}
