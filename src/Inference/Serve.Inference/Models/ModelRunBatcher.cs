using System.Text;
using Microsoft.Extensions.Logging;
using Serve.Inference.Analysis;
using Serve.Inference.Tensors;
using Serve.Replica.Batching;

namespace Serve.Inference.Models;

/// <summary>
/// Runs a model version for validated requests. A single request runs alone; concurrent requests are joined along the first dimension if it is open in all inputs and outputs, and if the rows are
/// proven to be independent or the configuration says so.
/// </summary>
internal sealed partial class ModelRunBatcher : IDisposable
{
    /// <summary>Number of sequential requests that are still queued after concurrent ones, so that the first of several clients that return waits for the others if that pays.</summary>
    private const int Remembered = 16;

    private const char Separator = '\0';

    private readonly OnnxModel _model;
    private readonly RowIndependence _rows;
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

    public ModelRunBatcher(OnnxModel model, RowIndependence rows, ModelVersionCounters counters, ModelBatchingConfigKey batching, TimeProvider time, ILogger logger)
    {
        (_model, _rows, _counters, _batching, _time, _logger) = (model, rows, counters, batching, time, logger);
        _hasOpenInner = model.Inputs.Any(input => input.Shape.Skip(1).Any(length => length < 0));
        if (!CanJoin(model, rows))
            return;
        _queue = new(RunAsync, new()
        {
            Settings = batching.Settings.Queue,
            SizeOf = static item => item.Rows,
            // Requests of the maximum size are not queued, but the maximum may have been reduced since.
            RefusesLarger = false,
            Gate = batching.Gate,
            Observer = batching.Observer,
            Time = time,
            // A run is short or uses a thread of its own, so a run that need not wait starts on the caller's thread.
            RunsElsewhere = true,
        });
    }

    /// <summary>Gets the number of requests that wait for a batch.</summary>
    public int Waiting => _queue?.Length ?? 0;

    /// <summary>Gets whether concurrent requests share runs with the settings in effect.</summary>
    public bool IsJoining => _queue is not null && !_isIndivisible && (_batching.Settings.Enabled ?? _rows.Verdict == RowIndependenceVerdict.Proven);

    /// <summary>Returns whether the shapes permit that requests share a run: all first dimensions are open, and those of the inputs have the same name.</summary>
    public static bool CanJoin(OnnxModel model, RowIndependence rows) =>
        model.Inputs.Count > 0
        && model.Inputs.All(spec => spec.HasBatch)
        && model.Outputs.All(spec => spec.HasBatch || rows.WholeOutputs.Contains(spec.Name))
        && model.Inputs.Select(input => input.Symbols is [{ Length: > 0 } first, ..] ? first : null).Where(symbol => symbol is not null).Distinct().Count() <= 1;

    /// <summary>Applies other settings.</summary>
    public void Apply(ModelBatchSettings settings)
    {
        if (_queue is not null)
            _queue.Settings = settings.Queue;
    }

    /// <summary>Runs the model for a validated request.</summary>
    /// <exception cref="ObjectDisposedException">The version has been disposed; another version may serve the request.</exception>
    public async ValueTask<ModelOutputs> RunAsync(InferenceRequest request, CancellationToken cancellationToken)
    {
        var rows = request.BatchSize(_model);
        var isAlone = Interlocked.Increment(ref _inside) == 1;
        try
        {
            if (_queue is null || !IsJoining || rows < 1 || rows >= _queue.Settings.MaxBatchSize || !IsAligned(request, rows))
                return await RunAloneAsync(request, rows, cancellationToken);
            if (!isAlone)
                Volatile.Write(ref _company, Remembered);
            else if (Volatile.Read(ref _company) <= 0 && _queue.Settings.Adaptive)
                return await RunAloneAsync(request, rows, cancellationToken);
            else
                Interlocked.Decrement(ref _company);
            return await _queue.EnqueueAsync(new(request, (int)rows, _time.GetTimestamp()), GroupOf(request), request.Urgency, cancellationToken);
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

    // Waiting requests fail with ObjectDisposedException: thrown by the model, or converted from the cancellation by the queue.
    public void Dispose()
    {
        _disposed = true;
        _model.Dispose();
        _queue?.Dispose();
    }

    // Only the model knows which rows belong together if the first lengths of its inputs differ.
    private static bool IsAligned(InferenceRequest request, long rows)
    {
        foreach (var (_, tensor) in request.Inputs)
        {
            if (tensor.Shape[0] != rows)
                return false;
        }

        return true;
    }

    /// <summary>Returns the key of requests that may share a run: equal inner shapes, and the same outputs in the same order. The datatypes are the model's.</summary>
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

        throw new InvalidOperationException($"The request was not validated: it has no input '{spec.Name}'.");
    }

    private async ValueTask<ModelOutputs> RunAloneAsync(InferenceRequest request, long rows, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        var outputs = await _model.RunAsync(request.Inputs, request.OutputNames(), cancellationToken);
        var ran = _time.GetElapsedTime(started);
        _counters.RecordExecution(rows, requests: 1, TimeSpan.Zero, ran, TimeSpan.Zero);
        _counters.Queue.Add(TimeSpan.Zero);
        if (_queue is not null && IsJoining)
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
            // A single request may have caused it; the others are retried without it.
            Log.BatchFailed(_logger, batch.Count, _model.Path, thrown);
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
            // The caller receives and logs it.
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
            return SharedModelOutputs.Divide(outputs, buffers, rows, _rows.WholeOutputs);
        }
        catch (ArgumentException thrown)
        {
            _isIndivisible = true;
            Log.BatchingDisabled(_logger, _model.Path, thrown.Message);
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

    // The caller has gone and does not dispose them.
    private static void Give(DispatchedBatch<QueuedInferenceRequest, ModelOutputs> batch, int index, ModelOutputs outputs)
    {
        if (!batch.SetResult(index, outputs))
            outputs.Dispose();
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 6004, Level = LogLevel.Warning, Message = "A batch of {Count} requests for {Model} failed; the requests are run one by one")]
        public static partial void BatchFailed(ILogger logger, int count, string model, Exception error);

        [LoggerMessage(EventId = 6005, Level = LogLevel.Warning, Message = "Dynamic batching disabled for {Model}: {Reason}")]
        public static partial void BatchingDisabled(ILogger logger, string model, string reason);
    }
}

/// <summary>A validated request that waits for a batch.</summary>
/// <param name="Request">The request.</param>
/// <param name="Rows">The first length of its inputs.</param>
/// <param name="Arrived">Timestamp of its arrival.</param>
internal readonly record struct QueuedInferenceRequest(InferenceRequest Request, int Rows, long Arrived);
