using System.Collections.Concurrent;
using Serve.Inference;

namespace Serve.Replica.ModelServing;

/// <summary>What the statistics extension tells of one version in one replica. Written by the requests' own flows.</summary>
internal sealed class ModelCounters(TimeProvider time)
{
    private readonly ConcurrentDictionary<long, BatchCounters> batches = new();
    private long inferences;
    private long executions;
    private long lastInference;

    public DurationCount Success { get; } = new();

    public DurationCount Fail { get; } = new();

    public DurationCount Queue { get; } = new();

    public DurationCount Input { get; } = new();

    public DurationCount Infer { get; } = new();

    public DurationCount Output { get; } = new();

    /// <summary>A request has been answered.</summary>
    public void Succeeded(long batchSize, TimeSpan input, TimeSpan output, TimeSpan whole)
    {
        Interlocked.Add(ref inferences, batchSize);
        Volatile.Write(ref lastInference, time.GetUtcNow().ToUnixTimeMilliseconds());
        Input.Add(input);
        Output.Add(output);
        Success.Add(whole);
    }

    /// <summary>The model has been run, for so many requests at once.</summary>
    public void Executed(long batchSize, int requests, TimeSpan join, TimeSpan run, TimeSpan split)
    {
        Interlocked.Increment(ref executions);
        Infer.Add(run, requests);
        var batch = batches.GetOrAdd(batchSize, static _ => new());
        batch.Input.Add(join);
        batch.Infer.Add(run);
        batch.Output.Add(split);
    }

    public ModelStatistics Read(string model, string version) => new()
    {
        Name = model,
        Version = version,
        LastInference = Volatile.Read(ref lastInference),
        InferenceCount = Interlocked.Read(ref inferences),
        ExecutionCount = Interlocked.Read(ref executions),
        InferenceStats = new()
        {
            Success = Success.Read(),
            Fail = Fail.Read(),
            Queue = Queue.Read(),
            ComputeInput = Input.Read(),
            ComputeInfer = Infer.Read(),
            ComputeOutput = Output.Read(),
        },
        BatchStats = [.. batches.OrderBy(pair => pair.Key)
            .Select(pair => new BatchStatistics(pair.Key, pair.Value.Input.Read(), pair.Value.Infer.Read(), pair.Value.Output.Read()))],
    };

    private sealed class BatchCounters
    {
        public DurationCount Input { get; } = new();

        public DurationCount Infer { get; } = new();

        public DurationCount Output { get; } = new();
    }
}
