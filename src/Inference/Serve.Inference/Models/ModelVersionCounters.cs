using System.Collections.Concurrent;

namespace Serve.Inference.Models;

/// <summary>Counters of one version in one replica, for the statistics extension. Thread-safe.</summary>
internal sealed class ModelVersionCounters(TimeProvider time)
{
    private readonly ConcurrentDictionary<long, BatchCounters> _batches = new();
    private long _inferences;
    private long _executions;
    private long _lastInference;

    public DurationAccumulator Success { get; } = new();

    public DurationAccumulator Fail { get; } = new();

    public DurationAccumulator Queue { get; } = new();

    public DurationAccumulator Input { get; } = new();

    public DurationAccumulator Infer { get; } = new();

    public DurationAccumulator Output { get; } = new();

    /// <summary>Records a successful request.</summary>
    public void RecordSuccess(long batchSize, TimeSpan input, TimeSpan output, TimeSpan whole)
    {
        Interlocked.Add(ref _inferences, batchSize);
        Volatile.Write(ref _lastInference, time.GetUtcNow().ToUnixTimeMilliseconds());
        Input.Add(input);
        Output.Add(output);
        Success.Add(whole);
    }

    /// <summary>Records a run of the model for one or several requests.</summary>
    public void RecordExecution(long batchSize, int requests, TimeSpan join, TimeSpan run, TimeSpan split)
    {
        Interlocked.Increment(ref _executions);
        Infer.Add(run, requests);
        var batch = _batches.GetOrAdd(batchSize, static _ => new());
        batch.Input.Add(join);
        batch.Infer.Add(run);
        batch.Output.Add(split);
    }

    public ModelStatistics Read(string model, string version) => new()
    {
        Name = model,
        Version = version,
        LastInference = Volatile.Read(ref _lastInference),
        InferenceCount = Interlocked.Read(ref _inferences),
        ExecutionCount = Interlocked.Read(ref _executions),
        InferenceStats = new()
        {
            Success = Success.Read(),
            Fail = Fail.Read(),
            Queue = Queue.Read(),
            ComputeInput = Input.Read(),
            ComputeInfer = Infer.Read(),
            ComputeOutput = Output.Read(),
        },
        BatchStats = [.. _batches.OrderBy(pair => pair.Key)
            .Select(pair => new BatchStatistics(pair.Key, pair.Value.Input.Read(), pair.Value.Infer.Read(), pair.Value.Output.Read()))],
    };

    private sealed class BatchCounters
    {
        public DurationAccumulator Input { get; } = new();

        public DurationAccumulator Infer { get; } = new();

        public DurationAccumulator Output { get; } = new();
    }
}

/// <summary>Count and total duration of an event. Thread-safe.</summary>
internal sealed class DurationAccumulator
{
    private long _count;
    private long _ticks;

    public void Add(TimeSpan duration, long times = 1)
    {
        Interlocked.Add(ref _count, times);
        Interlocked.Add(ref _ticks, duration.Ticks * times);
    }

    public DurationStatistic Read() => new(Interlocked.Read(ref _count), Interlocked.Read(ref _ticks) * TimeSpan.NanosecondsPerTick);
}
