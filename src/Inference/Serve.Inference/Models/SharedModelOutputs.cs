namespace Serve.Inference.Models;

/// <summary>The outputs of a run for several requests, and the memory of its inputs: given back when the last of them has been answered.</summary>
/// <param name="joined">The outputs.</param>
/// <param name="buffers">What the inputs lie in.</param>
/// <param name="users">How many requests; each disposes once.</param>
internal sealed class SharedModelOutputs(ModelOutputs joined, PooledTensorBuffers buffers, int users) : IDisposable
{
    private int _users = users;

    /// <summary>Takes outputs apart along their first dimension, without a copy.</summary>
    /// <param name="joined">The outputs; the parts' from here on.</param>
    /// <param name="buffers">What the run's inputs lie in; the parts' from here on.</param>
    /// <param name="rows">How many rows each part has.</param>
    /// <returns>The parts; the last that is disposed disposes of both.</returns>
    /// <exception cref="ArgumentException">The rows do not add up to an output's; both are the caller's still.</exception>
    public static ModelOutputs[] Divide(ModelOutputs joined, PooledTensorBuffers buffers, IReadOnlyList<long> rows)
    {
        var divided = new Tensor[joined.Count][];
        for (var output = 0; output < divided.Length; output++)
            divided[output] = TensorBatch.Split(joined[output].Tensor, rows);
        var shared = new SharedModelOutputs(joined, buffers, rows.Count);
        var parts = new ModelOutputs[rows.Count];
        for (var part = 0; part < parts.Length; part++)
        {
            var tensors = new NamedTensor[divided.Length];
            for (var output = 0; output < tensors.Length; output++)
                tensors[output] = new(joined[output].Name, divided[output][part]);
            parts[part] = new(tensors, shared);
        }

        return parts;
    }

    public void Dispose()
    {
        if (Interlocked.Decrement(ref _users) != 0)
            return;
        joined.Dispose();
        buffers.Dispose();
    }
}
