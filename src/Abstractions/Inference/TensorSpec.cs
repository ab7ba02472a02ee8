using System.Collections.Immutable;

namespace Serve;

/// <summary>What a model says of one of its inputs or outputs.</summary>
/// <param name="Name">Its name in the graph.</param>
/// <param name="Type">What its elements are.</param>
/// <param name="Shape">The length of each dimension, -1 where any is taken.</param>
public sealed record TensorSpec(string Name, TensorType Type, ImmutableArray<long> Shape)
{
    /// <summary>The model's own names of dimensions of any length, for instance <c>batch</c>; empty where it gives none. As long as <see cref="Shape"/>, or empty.</summary>
    public ImmutableArray<string> Symbols { get; init; } = [];

    /// <summary>Whether its first dimension takes any length, so that several items can go through at once.</summary>
    public bool HasBatch => Shape is [-1, ..];

    /// <summary>Whether a tensor of this shape fits.</summary>
    /// <param name="shape">The tensor's.</param>
    /// <returns>Whether the number of dimensions and each fixed length are the same.</returns>
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
