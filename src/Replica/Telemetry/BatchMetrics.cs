using Prometheus;
using Serve.Replica.Batching;

namespace Serve.Replica.Telemetry;

/// <summary>The metrics of one batched method of one replica, looked up once so that a batch pays for the observations alone.</summary>
internal sealed class BatchMetrics(string[] labels) : IBatchObserver, IDisposable
{
    private readonly Histogram.Child wait = ReplicaMetricFamilies.BatchWait.WithLabels(labels);
    private readonly Histogram.Child execution = ReplicaMetricFamilies.BatchExecution.WithLabels(labels);
    private readonly Histogram.Child utilization = ReplicaMetricFamilies.BatchUtilization.WithLabels(labels);
    private readonly Histogram.Child size = ReplicaMetricFamilies.BatchSize.WithLabels(labels);
    private readonly Counter.Child batches = ReplicaMetricFamilies.Batches.WithLabels(labels);
    private readonly Gauge.Child length = ReplicaMetricFamilies.BatchQueueLength.WithLabels(labels);

    /// <summary>Asks how many items wait, when metrics are scraped.</summary>
    public Func<int>? Length { get; set; }

    public void OnEnded(int items, double utilization, TimeSpan waited, TimeSpan ran)
    {
        wait.Observe(waited.TotalMilliseconds);
        execution.Observe(ran.TotalMilliseconds);
        this.utilization.Observe(utilization * 100);
        size.Observe(items);
        batches.Inc();
    }

    public void Copy() => length.Set(Length?.Invoke() ?? 0);

    public void Dispose()
    {
        wait.Remove();
        execution.Remove();
        utilization.Remove();
        size.Remove();
        batches.Remove();
        length.Remove();
    }
}
