using Prometheus;
using Serve.Replica.Batching;

namespace Serve.Replica.Telemetry;

/// <summary>Metrics of a batched method of one replica. Labels are resolved once, so that a batch only pays for the observations.</summary>
internal sealed class BatchMethodMetrics(string[] labels) : IBatchQueueObserver, IDisposable
{
    private readonly Histogram.Child _wait = ReplicaMetricFamilies.BatchWait.WithLabels(labels);
    private readonly Histogram.Child _execution = ReplicaMetricFamilies.BatchExecution.WithLabels(labels);
    private readonly Histogram.Child _utilization = ReplicaMetricFamilies.BatchUtilization.WithLabels(labels);
    private readonly Histogram.Child _size = ReplicaMetricFamilies.BatchSize.WithLabels(labels);
    private readonly Counter.Child _batches = ReplicaMetricFamilies.Batches.WithLabels(labels);
    private readonly Gauge.Child _length = ReplicaMetricFamilies.BatchQueueLength.WithLabels(labels);

    /// <summary>Returns the number of queued items, when metrics are scraped.</summary>
    public Func<int>? Length { get; set; }

    public void OnEnded(int items, double utilization, TimeSpan waited, TimeSpan ran)
    {
        _wait.Observe(waited.TotalMilliseconds);
        _execution.Observe(ran.TotalMilliseconds);
        _utilization.Observe(utilization * 100);
        _size.Observe(items);
        _batches.Inc();
    }

    public void Copy() => _length.Set(Length?.Invoke() ?? 0);

    public void Dispose()
    {
        _wait.Remove();
        _execution.Remove();
        _utilization.Remove();
        _size.Remove();
        _batches.Remove();
        _length.Remove();
    }
}
