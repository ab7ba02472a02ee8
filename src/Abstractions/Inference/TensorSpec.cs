using System.Collections.Immutable;

namespace Serve;

/// <summary>Name, datatype and shape of an input or output of a model.</summary>
/// <param name="Name">Name in the graph.</param>
/// <param name="Type">Datatype of the elements.</param>
/// <param name="Shape">Length of each dimension; -1 for an open one.</param>
public sealed record TensorSpec(string Name, TensorType Type, ImmutableArray<long> Shape)
{
    /// <summary>Gets the model's names of open dimensions, for instance <c>batch</c>, with an empty string for a dimension without a name. As long as <see cref="Shape"/>, or empty.</summary>
    public ImmutableArray<string> Symbols { get; init; } = [];

    /// <summary>Gets whether the first dimension is open, so that a run can process several items.</summary>
    public bool HasBatch => Shape is [-1, ..];

    /// <summary>Returns whether the shape of a tensor matches.</summary>
    /// <param name="shape">Shape of the tensor.</param>
    /// <returns>Whether the number of dimensions and each fixed length are equal.</returns>
    public bool Fits(ReadOnlySpan<long> shape)
    {
        if (shape.Length != Shape.Length)
            return false;
        for (var index = 0; index < shape.Length; index++)
        {
            if (Shape[index] >= 0 && Shape[index] != shape[index])
                return false;
        }

        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {TensorTypes.NameOf(Type)}[{string.Join(",", Shape)}]";
}
