using System.Collections;
using System.Diagnostics.CodeAnalysis;

namespace Serve;

/// <summary>
/// What a run of a model has given, in the order in which it was asked for. Its tensors may lie in memory of the inference runtime's, which
/// <see cref="Dispose"/> gives back at once, and the garbage collector later: they are not to be used after either.
/// </summary>
/// <param name="tensors">The tensors, in order.</param>
/// <param name="memory">Who gives their memory back; null when nobody has to.</param>
public sealed class ModelOutputs(IReadOnlyList<NamedTensor> tensors, IDisposable? memory = null) : IReadOnlyList<NamedTensor>, IDisposable
{
    private IDisposable? _memory = memory;

    /// <summary>How many there are.</summary>
    public int Count => tensors.Count;

    /// <summary>One by its place.</summary>
    /// <param name="index">From 0.</param>
    public NamedTensor this[int index] => tensors[index];

    /// <summary>One by its name.</summary>
    /// <param name="name">The output's.</param>
    /// <exception cref="KeyNotFoundException">It was not asked for or does not exist.</exception>
    public Tensor this[string name] => TryGet(name, out var tensor)
        ? tensor
        : throw new KeyNotFoundException($"There is no output '{name}'. There are {string.Join(", ", tensors.Select(each => each.Name))}.");

    /// <summary>One by its name.</summary>
    /// <param name="name">The output's.</param>
    /// <param name="tensor">The tensor.</param>
    /// <returns>Whether it is there.</returns>
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

    /// <summary>Gives the tensors' memory back.</summary>
    public void Dispose() => Interlocked.Exchange(ref _memory, null)?.Dispose();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
