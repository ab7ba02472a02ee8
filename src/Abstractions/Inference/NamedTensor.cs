namespace Serve;

/// <summary>A tensor with the name of an input or output of a model.</summary>
/// <param name="Name">The name.</param>
/// <param name="Tensor">The tensor.</param>
public readonly record struct NamedTensor(string Name, Tensor Tensor)
{
    /// <summary>Converts a pair, so that inputs can be written as <c>[("pixels", tensor)]</c>.</summary>
    /// <param name="pair">Name and tensor.</param>
    public static implicit operator NamedTensor((string Name, Tensor Tensor) pair) => new(pair.Name, pair.Tensor);
}
