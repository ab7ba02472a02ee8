using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Serve;

/// <summary>
/// Outputs of a model run, in the requested order. The tensors may use memory of the inference runtime, which
/// <see cref="Dispose"/> or the garbage collector releases; do not use them afterwards.
/// </summary>
/// <param name="tensors">The tensors.</param>
/// <param name="memory">Owner of their memory; null if it needs no release.</param>
public sealed class ModelOutputs(IReadOnlyList<NamedTensor> tensors, IDisposable? memory = null) : IReadOnlyList<NamedTensor>, IDisposable
{
    private IDisposable? _memory = memory;

    /// <summary>Gets the number of outputs.</summary>
    public int Count => tensors.Count;

    /// <summary>Gets an output by its index.</summary>
    /// <param name="index">The index.</param>
    public NamedTensor this[int index] => tensors[index];

    /// <summary>Gets an output by its name.</summary>
    /// <param name="name">Name of the output.</param>
    /// <exception cref="KeyNotFoundException">The output was not requested or does not exist.</exception>
    public Tensor this[string name] => TryGet(name, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"Unknown output '{name}'. Outputs: {string.Join(", ", tensors.Select(each => each.Name))}.");

    /// <summary>Gets an output by its name.</summary>
    /// <param name="name">Name of the output.</param>
    /// <param name="tensor">The tensor.</param>
    /// <returns>Whether the output exists.</returns>
    public bool TryGet(string name, [NotNullWhen(true)] out Tensor? tensor)
    {
        foreach (var each in tensors)
        {
            if (each.Name == name)
            {
                tensor = each.Tensor;
                return true;
            }
        }

        tensor = null;
        return false;
    }

    /// <inheritdoc/>
    public IEnumerator<NamedTensor> GetEnumerator() => tensors.GetEnumerator();

    /// <summary>Releases the memory of the tensors.</summary>
    public void Dispose() => Interlocked.Exchange(ref _memory, null)?.Dispose();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}

/// <summary>A tensor with the name of an input or output of a model.</summary>
/// <param name="Name">The name.</param>
/// <param name="Tensor">The tensor.</param>
public readonly record struct NamedTensor(string Name, Tensor Tensor)
{
    /// <summary>Converts a pair, so that inputs can be written as <c>[("pixels", tensor)]</c>.</summary>
    /// <param name="pair">Name and tensor.</param>
    public static implicit operator NamedTensor((string Name, Tensor Tensor) pair) => new(pair.Name, pair.Tensor);
}
