using System.Text;
using Microsoft.Extensions.Logging;
using Serve.Inference.Tensors;
using Serve.Replica.Batching;

namespace Serve.Inference.Models;

/// <summary>
/// Runs one version for requests that have been checked: alone while there is one at a time, and joined along the first dimension where the model's inputs and outputs have it open.
/// </summary>
internal sealed partial class ModelRunBatcher : IDisposable
{
    /// <summary>For how many requests one remembers that there were several at a time. Until then they are queued, so that the first of a crowd that comes back waits for the others if that pays.</summary>
    private const int Remembered = 16;

    private const char Separator = '\0';

    private readonly OnnxModel _model;
    private readonly ModelVersionCounters _counters;
    private readonly ModelBatchingConfigKey _batching;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BatchQueue<QueuedInferenceRequest, ModelOutputs>? _queue;
    private readonly bool _hasOpenInner;
    private int _inside;
    private int _company;
    private volatile bool _isIndivisible;
    private volatile bool _disposed;

    public ModelRunBatcher(OnnxModel model, ModelVersionCounters counters, ModelBatchingConfigKey batching, TimeProvider time, ILogger logger)
    {
        (this._model, this._counters, this._batching, this._time, this._logger) = (model, counters, batching, time, logger);
        _hasOpenInner = model.Inputs.Any(input => input.Shape.Skip(1).Any(length => length < 0));
        if (!CanJoin(model))
            return;
        _queue = new(RunAsync, new()
        {
            Settings = batching.Settings.Queue,
            SizeOf = static item => item.Rows,
            // Those that were as large when they came are not queued; the most may have become less since.
            RefusesLarger = false,
            Gate = batching.Gate,
            Observer = batching.Observer,
            Time = time,
            // A run is short or on a thread of its own; so one that need not wait starts on its caller's.
            RunsElsewhere = true,
        });
    }

    /// <summary>How many requests wait to be run with others.</summary>
    public int Waiting => _queue?.Length ?? 0;

    /// <summary>Whether requests for it can share a run: all first lengths are open, and no two inputs give theirs different names.</summary>
    public static bool CanJoin(OnnxModel model) =>
        model.Inputs.Count > 0
        && model.Inputs.Concat(model.Outputs).All(spec => spec.HasBatch)
        && model.Inputs.Select(input => input.Symbols is [{ Length: > 0 } first, ..] ? first : null).Where(symbol => symbol is not null).Distinct().Count() <= 1;

    /// <summary>Puts other settings in force.</summary>
    public void Apply(ModelBatchSettings settings)
    {
        if (_queue is not null)
            _queue.Settings = settings.Queue;
    }

    /// <summary>Runs the model for a request that has been checked.</summary>
    /// <exception cref="ObjectDisposedException">The version has been given up; another may take the request.</exception>
    public async ValueTask<ModelOutputs> RunAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        var rows = request.BatchSize(_model);
        var isAlone = Interlocked.Increment(ref _inside) == 1;
        try
        {
            if (_queue is null || !_batching.Settings.Enabled || _isIndivisible || rows < 1 || rows >= _queue.Settings.MaxBatchSize || !IsAligned(request, rows))
                return await RunAloneAsync(request, rows, cancellationToken);
            if (!isAlone)
                Volatile.Write(ref _company, Remembered);
            else if (Volatile.Read(ref _company) <= 0 && _queue.Settings.Adaptive)
                return await RunAloneAsync(request, rows, cancellationToken);
            else
                Interlocked.Decrement(ref _company);
            return await _queue.EnqueueAsync(new(request, (int)rows, _time.GetTimestamp()), GroupOf(request), cancellationToken);
        }
        catch (OperationCanceledException) when (_disposed && !cancellationToken.IsCancellationRequested)
        {
            throw new ObjectDisposedException(_model.Path);
        }
        finally
        {
            Interlocked.Decrement(ref _inside);
        }
    }

    // What waits fails with ObjectDisposedException as the model does, or is cancelled below, which is made into it.
    public void Dispose()
    {
        _disposed = true;
        _model.Dispose();
        _queue?.Dispose();
    }

    // A model may take inputs of different first lengths; which rows belong together is then its own affair.
    private static bool IsAligned(InferenceRequest request, long rows)
    {
        foreach (var (_, tensor) in request.Inputs)
        {
            if (tensor.Shape[0] != rows)
                return false;
        }

        return true;
    }

    /// <summary>A name for those whose requests may share a run: equal inner shapes, and the same outputs in the same order. Datatypes are the model's.</summary>
    private string? GroupOf(InferenceRequest request)
    {
        var byShape = _hasOpenInner && !_batching.Settings.Padding;
        if (!byShape && request.Outputs.Count == 0)
            return null;
        var name = new StringBuilder();
        if (byShape)
        {
            foreach (var spec in _model.Inputs)
            {
                foreach (var length in InputOf(request, spec).Shape[1..])
                    name.Append(length).Append(Separator);
            }
        }

        foreach (var output in request.Outputs)
            name.Append(Separator).Append(output.Name);
        return name.ToString();
    }

    private static Tensor InputOf(InferenceRequest request, TensorSpec spec)
    {
        foreach (var (name, tensor) in request.Inputs)
        {
            if (name == spec.Name)
                return tensor;
        }

        throw new InvalidOperationException($"A request came unchecked: it has no input '{spec.Name}'.");
    }

    private async ValueTask<ModelOutputs> RunAloneAsync(InferenceRequest request, long rows, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var outputs = await _model.RunAsync(request.Inputs, request.OutputNames(), cancellationToken);
        var ran = _time.GetElapsedTime(started);
        _counters.RecordExecution(rows, requests: 1, TimeSpan.Zero, ran, TimeSpan.Zero);
        _counters.Queue.Add(TimeSpan.Zero);
        if (_queue is not null && _batching.Settings.Enabled)
            _batching.Observer?.OnEnded(1, Math.Min(1, rows / (double)_queue.Settings.MaxBatchSize), TimeSpan.Zero, ran);
        return outputs;
    }

    private async ValueTask RunAsync(DispatchedBatch<QueuedInferenceRequest, ModelOutputs> batch)
    {
        if (!batch.TryStart())
            return;
        var started = _time.GetTimestamp();
        if (batch.Count == 1)
        {
            await RunOneAsync(batch, 0, started);
            return;
        }

        try
        {
            await RunJoinedAsync(batch, started);
        }
        catch (Exception thrown) when (thrown is not ObjectDisposedException && !batch.CancellationToken.IsCancellationRequested)
        {
            // One of them may be to blame; the others shall not pay for it.
            LogOneByOne(_logger, thrown, _model.Path, batch.Count);
            for (var index = 0; index < batch.Count; index++)
                await RunOneAsync(batch, index, started);
        }
    }

    private async ValueTask RunOneAsync(DispatchedBatch<QueuedInferenceRequest, ModelOutputs> batch, int index, long taken)
    {
        var (request, rows, arrived) = batch.Items[index];
        try
        {
            var started = _time.GetTimestamp();
            var outputs = await _model.RunAsync(request.Inputs, request.OutputNames(), batch.CancellationToken);
            _counters.RecordExecution(rows, requests: 1, TimeSpan.Zero, _time.GetElapsedTime(started), TimeSpan.Zero);
            _counters.Queue.Add(_time.GetElapsedTime(arrived, taken));
            Give(batch, index, outputs);
        }
        catch (Exception thrown)
        {
            // It is the caller's, who logs it.
            batch.SetException(index, thrown);
        }
    }

    private async ValueTask RunJoinedAsync(DispatchedBatch<QueuedInferenceRequest, ModelOutputs> batch, long started)
    {
        var items = batch.Items;
        var rows = Array.ConvertAll(items, item => (long)item.Rows);
        var buffers = new PooledTensorBuffers();
        ModelOutputs? outputs = null;
        ModelOutputs[] parts;
        long joined, ran;
        try
        {
            var inputs = Join(items, buffers);
            joined = _time.GetTimestamp();
            outputs = await _model.RunAsync(inputs, items[0].Request.OutputNames(), batch.CancellationToken);
            ran = _time.GetTimestamp();
            parts = Divide(outputs, buffers, rows);
        }
        catch
        {
            outputs?.Dispose();
            buffers.Dispose();
            throw;
        }

        _counters.RecordExecution(rows.Sum(), items.Length, _time.GetElapsedTime(started, joined), _time.GetElapsedTime(joined, ran), _time.GetElapsedTime(ran));
        for (var index = 0; index < items.Length; index++)
        {
            _counters.Queue.Add(_time.GetElapsedTime(items[index].Arrived, started));
            Give(batch, index, parts[index]);
        }
    }

    private ModelOutputs[] Divide(ModelOutputs outputs, PooledTensorBuffers buffers, long[] rows)
    {
        try
        {
            return SharedModelOutputs.Divide(outputs, buffers, rows);
        }
        catch (ArgumentException thrown)
        {
            _isIndivisible = true;
            LogIndivisible(_logger, _model.Path, thrown.Message);
            throw;
        }
    }

    private NamedTensor[] Join(QueuedInferenceRequest[] items, PooledTensorBuffers buffers)
    {
        var inputs = new NamedTensor[_model.Inputs.Count];
        for (var index = 0; index < inputs.Length; index++)
        {
            var spec = _model.Inputs[index];
            inputs[index] = new(spec.Name, TensorBatch.Join(Array.ConvertAll(items, item => InputOf(item.Request, spec)), _batching.Settings.Padding, buffers));
        }

        return inputs;
    }

    // Nobody else would give back what a caller who has gone does not take.
    private static void Give(DispatchedBatch<QueuedInferenceRequest, ModelOutputs> batch, int index, ModelOutputs outputs)
    {
        if (!batch.SetResult(index, outputs))
            outputs.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "A run of {Model} for {Count} requests failed; they are run one by one")]
    private static partial void LogOneByOne(ILogger logger, Exception thrown, string model, int count);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Model} is not run for several requests at once any more: {Reason}")]
    private static partial void LogIndivisible(ILogger logger, string model, string reason);
}
