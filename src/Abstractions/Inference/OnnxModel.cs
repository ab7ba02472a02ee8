namespace Serve;

/// <summary>
/// A loaded ONNX model: a constructor parameter of a deployment, or loaded by <see cref="IOnnxModels"/>. Equal models of a process share their
/// weights. Thread-safe: any number of runs may be in progress.
/// </summary>
public abstract class OnnxModel : IDisposable
{
    /// <summary>Gets the file of the model.</summary>
    public abstract string Path { get; }

    /// <summary>Gets the inputs, in the graph's order.</summary>
    public abstract IReadOnlyList<TensorSpec> Inputs { get; }

    /// <summary>Gets the outputs, in the graph's order.</summary>
    public abstract IReadOnlyList<TensorSpec> Outputs { get; }

    /// <summary>Gets the execution provider: <c>cpu</c>, <c>cuda</c>, <c>tensorrt</c>, or the name of a plug-in provider.</summary>
    public abstract string ExecutionProvider { get; }

    /// <summary>Gets the metadata in the file.</summary>
    public abstract OnnxModelInfo Info { get; }

    /// <summary>
    /// Runs the model. Inputs are used in place, without a copy; their memory must not change before the run has ended. Short runs execute
    /// on the calling thread, others on dedicated threads.
    /// </summary>
    /// <param name="inputs">One tensor for each input.</param>
    /// <param name="outputs">Names of the requested outputs; null for all.</param>
    /// <param name="cancellationToken">Cancels the run between two operators.</param>
    /// <returns>The outputs. Dispose them when their memory is no longer needed.</returns>
    /// <exception cref="BadInputException">
    /// A name, datatype or shape does not match the model (names the tensor, the expected and the actual type), or an operator failed for the shape or the values of the inputs.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was canceled.</exception>
    /// <exception cref="InferenceException">ONNX Runtime failed to run the model for lack of memory or because of a device.</exception>
    /// <exception cref="ObjectDisposedException">The model has been disposed.</exception>
    public abstract ValueTask<ModelOutputs> RunAsync(
        IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs = null, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs a model with one input on several items at once: concatenates the items along the first dimension and splits the first output
    /// into items. Shorter items are padded with zeros if the second dimension of the model is open.
    /// </summary>
    /// <typeparam name="TIn">Element type of the input.</typeparam>
    /// <typeparam name="TOut">Element type of the first output.</typeparam>
    /// <param name="items">The items, each with its elements in row-major order.</param>
    /// <param name="cancellationToken">Cancels the run between two operators.</param>
    /// <returns>The elements of the first output, for each item.</returns>
    /// <exception cref="BadInputException">An item does not match the input; names the item.</exception>
    /// <exception cref="InvalidOperationException">The model has several inputs, or its first dimension is not open.</exception>
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
    /// As <see cref="RunAsync{TIn, TOut}(IReadOnlyList{TIn[]}, CancellationToken)"/>, with a separate result for each item, for methods with <see cref="BatchAttribute"/>, whose callers must
    /// not affect each other. An item that does not match fails alone; if the run fails, the items are run one by one.
    /// </summary>
    /// <typeparam name="TIn">Element type of the input.</typeparam>
    /// <typeparam name="TOut">Element type of the first output.</typeparam>
    /// <param name="items">The items, each with its elements in row-major order.</param>
    /// <param name="cancellationToken">Cancels the run between two operators.</param>
    /// <returns>The first output's elements for each item, or its <see cref="BadInputException"/> or <see cref="InferenceException"/>.</returns>
    /// <exception cref="BadInputException">The input has another element type.</exception>
    /// <exception cref="InvalidOperationException">The model has several inputs, or its first dimension is not open.</exception>
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

    /// <summary>Releases the model after its ongoing runs. The memory is freed with the last equal model.</summary>
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
        : throw new InvalidOperationException($"{Path} must have one input with an open first dimension to run items, but has {Inputs.Count} inputs ({string.Join("; ", Inputs)}).");

    private async Task<TOut[][]> RunRowsAsync<TIn, TOut>(ModelItemRows<TIn> rows, IReadOnlyList<TIn[]> items, CancellationToken cancellationToken)
    {
        if (items.Count == 0)
            return [];
        using var buffers = new PooledTensorBuffers();
        using var results = await RunAsync([(Inputs[0].Name, rows.Join(items, buffers))], [Outputs[0].Name], cancellationToken).ConfigureAwait(false);
        return ModelItemRows<TOut>.Part(results[0].Tensor, items.Count);
    }
}

/// <summary>Metadata in a model file. Texts are empty if the file has none.</summary>
/// <param name="Graph">Name of the graph.</param>
/// <param name="Producer">Program that created the file.</param>
/// <param name="Description">Human-readable description.</param>
/// <param name="Domain">Domain of the author, in reverse notation.</param>
/// <param name="Version">Version number; 0 if it has none.</param>
/// <param name="Metadata">Additional keys and values.</param>
public sealed record OnnxModelInfo(
    string Graph, string Producer, string Description, string Domain, long Version, IReadOnlyDictionary<string, string> Metadata);

/// <summary>Loader of models, for deployments that choose them at run time: a constructor parameter. Models use the replica's devices and its share of threads.</summary>
public interface IOnnxModels
{
    /// <summary>Loads a model, or shares a loaded one with equal content and options.</summary>
    /// <param name="path">Path of the file. A relative path is searched in the application's package, then in the working directory.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The model. The caller disposes it.</returns>
    /// <exception cref="InferenceException">The file does not exist, is not an ONNX model, has an unsupported operator set or lacks external data (with ONNX Runtime's message), or the execution provider is not available.</exception>
    Task<OnnxModel> LoadAsync(string path, OnnxOptions? options = null, CancellationToken cancellationToken = default);
}
