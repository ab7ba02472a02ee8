namespace Serve;

/// <summary>
/// An ONNX model, loaded and ready: a constructor parameter of a deployment, or what <see cref="IOnnxModels"/> loads. Its weights are in memory
/// once for all equal models of a process. Any number of runs may be under way at a time.
/// </summary>
public abstract class OnnxModel : IDisposable
{
    /// <summary>The file it was loaded from.</summary>
    public abstract string Path { get; }

    /// <summary>What it takes, in the graph's order.</summary>
    public abstract IReadOnlyList<TensorSpec> Inputs { get; }

    /// <summary>What it gives, in the graph's order.</summary>
    public abstract IReadOnlyList<TensorSpec> Outputs { get; }

    /// <summary>Where it runs: <c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>, or the name of a plug-in's provider.</summary>
    public abstract string ExecutionProvider { get; }

    /// <summary>What the file says of itself.</summary>
    public abstract OnnxModelInfo Info { get; }

    /// <summary>
    /// Runs the model. Tensors go in as they lie, without a copy; their memory is not to be changed before the run has ended. A quick run is done
    /// on the calling thread; others on threads made for that.
    /// </summary>
    /// <param name="inputs">A tensor for each input.</param>
    /// <param name="outputs">Which outputs are wanted, by name; null for all.</param>
    /// <param name="cancellationToken">Ends the run between two of its operators.</param>
    /// <returns>The outputs. To be disposed when their memory is not needed any more.</returns>
    /// <exception cref="BadInputException">A name, type or shape that the model does not take; says which, what was expected and what came.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    /// <exception cref="InferenceException">The model failed.</exception>
    /// <exception cref="ObjectDisposedException">The model was disposed.</exception>
    public abstract ValueTask<ModelOutputs> RunAsync(
        IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs a model of one input on several items at once: the items are laid one behind the other along the first dimension, and the first output is taken
    /// apart again. Items shorter than the longest are filled up with zeros at the end where the model's second dimension takes any length.
    /// </summary>
    /// <typeparam name="TIn">The input's element.</typeparam>
    /// <typeparam name="TOut">The first output's element.</typeparam>
    /// <param name="items">The items, each the elements of one in row-major order.</param>
    /// <param name="cancellationToken">Ends the run between two of its operators.</param>
    /// <returns>The first output's elements for each item.</returns>
    /// <exception cref="BadInputException">An item does not fit; says which.</exception>
    /// <exception cref="InvalidOperationException">The model has several inputs, or no dimension for items.</exception>
    public async Task<TOut[][]> RunAsync<TIn, TOut>(IReadOnlyList<TIn[]> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        var rows = new ModelItemRows<TIn>(ItemInput());
        for (var index = 0; index < items.Count; index++)
        {
            if (rows.Misfit(items[index]) is { } misfit)
                throw new BadInputException($"Item {index} {misfit}");
        }

        return await RunRowsAsync<TIn, TOut>(rows, items, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="RunAsync{TIn, TOut}"/>
    public Task<float[][]> RunAsync(IReadOnlyList<float[]> items, CancellationToken cancellationToken = default) => RunAsync<float, float>(items, cancellationToken);

    /// <summary>
    /// As <see cref="RunAsync{TIn, TOut}(IReadOnlyList{TIn[]}, CancellationToken)"/>, with a result of its own for each item: for methods with <see cref="BatchAttribute"/>, whose callers are
    /// not to pay for each other's mistakes. An item that does not fit fails alone; when the run fails the items are run one by one.
    /// </summary>
    /// <typeparam name="TIn">The input's element.</typeparam>
    /// <typeparam name="TOut">The first output's element.</typeparam>
    /// <param name="items">The items, each the elements of one in row-major order.</param>
    /// <param name="cancellationToken">Ends the run between two of its operators.</param>
    /// <returns>The first output's elements for each item, or its <see cref="BadInputException"/> or <see cref="InferenceException"/>.</returns>
    /// <exception cref="BadInputException">The input takes other elements.</exception>
    /// <exception cref="InvalidOperationException">The model has several inputs, or no dimension for items.</exception>
    public async Task<BatchResult<TOut[]>[]> RunEachAsync<TIn, TOut>(IReadOnlyList<TIn[]> items, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        var rows = new ModelItemRows<TIn>(ItemInput());
        var results = new BatchResult<TOut[]>[items.Count];
        var fitting = new List<int>(items.Count);
        for (var index = 0; index < results.Length; index++)
        {
            if (rows.Misfit(items[index]) is { } misfit)
                results[index] = BatchResult.Fail(new BadInputException($"The item {misfit}"));
            else
                fitting.Add(index);
        }

        await RunFittingAsync(fitting).ConfigureAwait(false);
        return results;

        async Task RunFittingAsync(List<int> some)
        {
            try
            {
                var parts = await RunRowsAsync<TIn, TOut>(rows, some.ConvertAll(index => items[index]), cancellationToken).ConfigureAwait(false);
                for (var index = 0; index < parts.Length; index++)
                    results[some[index]] = parts[index];
            }
            catch (Exception thrown) when (thrown is BadInputException or InferenceException)
            {
                if (some.Count == 1)
                    results[some[0]] = BatchResult.Fail(thrown);
                else
                    foreach (var index in some)
                        await RunFittingAsync([index]).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Gives it up. Runs that are under way end first; its memory goes with the last of its equals.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <inheritdoc cref="Dispose()"/>
    /// <param name="disposing">True from <see cref="Dispose()"/>.</param>
    protected abstract void Dispose(bool disposing);

    private TensorSpec ItemInput() => Inputs is [{ HasBatch: true } input]
        ? input
        : throw new InvalidOperationException($"{Path} cannot take items in a list: it has {Inputs.Count} inputs ({string.Join("; ", Inputs)}) and must have one whose first length is open.");

    private async Task<TOut[][]> RunRowsAsync<TIn, TOut>(ModelItemRows<TIn> rows, IReadOnlyList<TIn[]> items, CancellationToken cancellationToken)
    {
        if (items.Count == 0)
            return [];
        using var buffers = new PooledTensorBuffers();
        using var results = await RunAsync([(Inputs[0].Name, rows.Join(items, buffers))], [Outputs[0].Name], cancellationToken).ConfigureAwait(false);
        return ModelItemRows<TOut>.Part(results[0].Tensor, items.Count);
    }
}
