namespace Serve.Inference.Models;

/// <summary>Outputs of a run for several requests, and the memory of its inputs. Released when the last request has been answered.</summary>
/// <param name="joined">The joined outputs.</param>
/// <param name="buffers">Memory of the inputs.</param>
/// <param name="users">Number of requests; each disposes once.</param>
internal sealed class SharedModelOutputs(ModelOutputs joined, PooledTensorBuffers buffers, int users) : IDisposable
{
    private int _users = users;

    /// <summary>Splits outputs along their first dimension, without a copy.</summary>
    /// <param name="joined">The outputs; owned by the parts on success.</param>
    /// <param name="buffers">Memory of the inputs; owned by the parts on success.</param>
    /// <param name="rows">Number of rows of each part.</param>
    /// <param name="whole">Outputs that do not depend on the rows; each part receives all of them.</param>
    /// <returns>The parts. Disposing the last part releases both arguments.</returns>
    /// <exception cref="ArgumentException">The rows do not match the first length of an output; the caller still owns both arguments.</exception>
    public static ModelOutputs[] Divide(ModelOutputs joined, PooledTensorBuffers buffers, IReadOnlyList<long> rows, IReadOnlyCollection<string> whole)
    {
        var divided = new Tensor[joined.Count][];
        for (var output = 0; output < divided.Length; output++)
            {
            var (name, tensor) = joined[output];
            divided[output] = whole.Contains(name) ? [.. Enumerable.Repeat(tensor, rows.Count)] : TensorBatch.Split(tensor, rows);
        }

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
