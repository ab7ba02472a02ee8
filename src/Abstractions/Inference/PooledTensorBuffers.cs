using System.Buffers;

namespace Serve;

/// <summary>
/// Pooled memory for the tensors of a run, which avoids large arrays that are collected with generation 2. Dispose it when the run has ended and its
/// outputs, which may share memory with its inputs, are no longer read. Not thread-safe.
/// </summary>
public sealed class PooledTensorBuffers : IDisposable
{
    private readonly List<IDisposable> _rented = [];

    /// <summary>Rents uninitialized memory. Strings use a new array, so that the pool keeps none alive.</summary>
    /// <typeparam name="T">Element type.</typeparam>
    /// <param name="count">Number of elements.</param>
    /// <returns>The memory.</returns>
    public Memory<T> Rent<T>(int count)
    {
        if (typeof(T) == typeof(string))
            return new T[count];
        var owner = MemoryPool<T>.Shared.Rent(count);
        _rented.Add(owner);
        return owner.Memory[..count];
    }

    /// <summary>Returns the memory to the pool.</summary>
    public void Dispose()
    {
        foreach (var owner in _rented)
            owner.Dispose();
        _rented.Clear();
    }
}
