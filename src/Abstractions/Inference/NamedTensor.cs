namespace Serve;

/// <summary>A tensor under the name of a model's input or output.</summary>
/// <param name="Name">The name.</param>
/// <param name="Tensor">The tensor.</param>
public readonly record struct NamedTensor(string Name, Tensor Tensor)
{
    /// <summary>So that a list of inputs can be written as pairs: <c>[("pixels", tensor)]</c>.</summary>
    /// <param name="pair">Name and tensor.</param>
    public static implicit operator NamedTensor((string Name, Tensor Tensor) pair) => new(pair.Name, pair.Tensor);
}
