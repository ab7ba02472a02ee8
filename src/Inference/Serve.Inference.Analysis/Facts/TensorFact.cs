using Serve.Inference.Analysis.Format;

namespace Serve.Inference.Analysis.Facts;

internal enum TensorFactKind
{
    /// <summary>Depends on the data of no row.</summary>
    Fixed,

    /// <summary>One dimension carries the rows.</summary>
    PerRow,

    /// <summary>Mixes rows (refuted), or nothing is known of it.</summary>
    Rejected,
}

/// <summary>Facts about one tensor of the graph.</summary>
/// <remarks>
/// A <see cref="TensorFactKind.PerRow"/> tensor has a dimension <see cref="RowDimension"/> of length Outer·N·Inner; its element (o, n, i), row-major, belongs to row n.
/// Outer = Inner = 1 is a plain batch dimension; [batch·heads, …] has Inner = heads. No other length depends on N.
/// </remarks>
internal sealed record TensorFact
{
    private TensorFact(TensorFactKind kind) => Kind = kind;

    /// <summary>A fixed tensor of unknown shape.</summary>
    public static TensorFact AnyFixed { get; } = new(TensorFactKind.Fixed);

    public TensorFactKind Kind { get; }

    /// <summary>Lengths; null if the rank is unknown, which only fixed and rejected tensors have.</summary>
    public SymbolicLength[]? Shape { get; init; }

    /// <summary>Elements of a fixed tensor of few whole numbers, where known.</summary>
    public SymbolicLength[]? Elements { get; init; }

    /// <summary>Whether the values of a fixed tensor depend on the number of rows.</summary>
    public bool DependsOnRowCount { get; init; }

    public int RowDimension { get; init; } = -1;

    public SymbolicLength Outer { get; init; } = SymbolicLength.One;

    public SymbolicLength Inner { get; init; } = SymbolicLength.One;

    /// <summary>Whether all positions along the row dimension are equal, so that its layout agrees with that of any other tensor.</summary>
    public bool IsUniform { get; init; }

    public bool IsSequence { get; init; }

    /// <summary>Shape of a rejected tensor that holds the row numbers 0 … N-1; legal only as an index into the rows themselves.</summary>
    public SymbolicLength[]? RowNumbersShape { get; init; }

    /// <summary>Whether the last dimension of such a tensor holds the row's number first and numbers of the row after it.</summary>
    public bool HasIndexColumns { get; init; }

    public OnnxTensor? Constant { get; init; }

    /// <summary>Whether a rejected tensor is known to mix rows, and not merely unknown.</summary>
    public bool IsRefuted { get; init; }

    public bool IsRandom { get; init; }

    public string Reason { get; init; } = "";

    /// <summary>Node that made it a rejected one.</summary>
    public string? Origin { get; init; }

    public bool IsPerRow => Kind == TensorFactKind.PerRow;

    public bool IsFixed => Kind == TensorFactKind.Fixed;

    public bool IsRejected => Kind == TensorFactKind.Rejected;

    /// <summary>Whether it is the same in every run.</summary>
    public bool IsConstant => IsFixed && !DependsOnRowCount;

    public int Rank => Lengths.Length;

    /// <summary>The shape of a tensor whose rank is known.</summary>
    /// <exception cref="InvalidDataException">The rank is not known.</exception>
    public SymbolicLength[] Lengths => Shape ?? throw new InvalidDataException("The rank of a tensor is not known.");

    /// <summary>Whether rows are items of the first dimension, one each.</summary>
    public bool HasPlainRows => IsPerRow && RowDimension == 0 && Lengths[0].Equals(SymbolicLength.RowCount) && Outer.Is(1) && Inner.Is(1);

    public bool HasOneElement => Shape is { } shape && shape.All(length => length.Is(1));

    public static TensorFact OfShape(params SymbolicLength[] shape) => new(TensorFactKind.Fixed) { Shape = shape };

    public static TensorFact OfElements(SymbolicLength[] shape, SymbolicLength[] elements) =>
        new(TensorFactKind.Fixed) { Shape = shape, Elements = elements, DependsOnRowCount = elements.Any(element => element.DependsOnRowCount) };

    public static TensorFact OfVector(params SymbolicLength[] elements) => OfElements([SymbolicLength.Of(elements.Length)], elements);

    public static TensorFact OfTensor(OnnxTensor tensor) => new(TensorFactKind.Fixed)
    {
        Shape = [.. tensor.Shape.Select(SymbolicLength.Of)],
        Constant = tensor,
        Elements = tensor.ReadIntegers()?.Select(SymbolicLength.Of).ToArray(),
    };

    public static TensorFact OfRows(SymbolicLength[] shape, int rowDimension) => new(TensorFactKind.PerRow) { Shape = shape, RowDimension = rowDimension };

    /// <summary>A tensor in which rows are known to meet.</summary>
    public static TensorFact Refuted(string reason) => new(TensorFactKind.Rejected) { IsRefuted = true, Reason = reason };

    /// <summary>A tensor of which too little is known.</summary>
    public static TensorFact Unknown(string reason) => new(TensorFactKind.Rejected) { Reason = reason };

    public static TensorFact Random(string reason) => new(TensorFactKind.Rejected) { Reason = reason, IsRandom = true };

    /// <summary>Returns a tensor of the same kind and row layout with another shape, its elements unknown.</summary>
    public TensorFact Reshaped(SymbolicLength[] shape, int rowDimension) => new(Kind)
    {
        Shape = shape,
        RowDimension = IsPerRow ? rowDimension : -1,
        Outer = Outer,
        Inner = Inner,
        IsUniform = IsUniform,
        DependsOnRowCount = DependsOnRowCount,
    };

    /// <summary>Returns it as the result of an operator that changes elements and nothing else.</summary>
    public TensorFact WithNewElements() => Shape is null ? this with { Constant = null, Elements = null } : Reshaped(Shape, RowDimension);

    public bool HasLayoutOf(TensorFact other) => Outer.Equals(other.Outer) && Inner.Equals(other.Inner);

    /// <summary>Returns the elements of a tensor of known lengths, each taken from the place in this one that a function maps its place to; null if they are not known.</summary>
    public SymbolicLength[]? PickElements(SymbolicLength[] shape, Func<int[], int[]> source)
    {
        if (Elements is not { } elements || Shape is not { } lengths || !lengths.Concat(shape).All(length => length.IsConstant))
            return null;
        var picked = new SymbolicLength[shape.Aggregate(1L, (product, length) => product * length.Constant)];
        var place = new int[shape.Length];
        for (var index = 0; index < picked.Length; index++)
        {
            var offset = source(place).Select((position, dimension) => (position, dimension)).Aggregate(0, (sum, at) => (sum * (int)lengths[at.dimension].Constant) + at.position);
            picked[index] = elements[offset];
            for (var dimension = place.Length - 1; dimension >= 0 && ++place[dimension] == shape[dimension].Constant; dimension--)
                place[dimension] = 0;
        }

        return picked;
    }

    public override string ToString() => IsRejected ? $"{Origin}: {Reason}"
        : $"{Kind} [{(Shape is null ? "?" : string.Join<SymbolicLength>(", ", Shape))}]{(IsPerRow ? $" rows in dimension {RowDimension}, outer {Outer}, inner {Inner}" : "")}";
}
