using System.Buffers;

namespace Serve;

/// <summary>
/// Memory for the tensors of one run, which others use again after: large arrays made for each would be collected with everything else. To be disposed once the run has ended and its
/// outputs, which a model may take from its inputs, are not read any more. Written by whoever runs.
/// </summary>
public sealed class PooledTensorBuffers : IDisposable
{
    private readonly List<IDisposable> _rented = [];

    /// <summary>Memory with anything in it. Strings have an array of their own, so that none is kept.</summary>
    public Memory<T> Rent<T>(int count)
    {
        if (typeof(T) == typeof(string))
            return new T[count];
        var owner = MemoryPool<T>.Shared.Rent(count);
        _rented.Add(owner);
        return owner.Memory[..count];
    }

    /// <summary>Gives it back.</summary>
    public void Dispose()
    {
        foreach (var owner in _rented)
            owner.Dispose();
        _rented.Clear();
    }
}
