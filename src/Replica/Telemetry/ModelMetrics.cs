using Prometheus;

namespace Serve.Replica.Telemetry;

/// <summary>The metrics of one replica's multiplexed models, with Ray Serve's names. Its children are removed when the replica is gone.</summary>
internal sealed class ModelMetrics : IDisposable
{
    private readonly string[] labels;
    private readonly Counter.Child requests;
    private readonly Counter.Child loads;
    private readonly Counter.Child unloads;
    private readonly Histogram.Child loadLatency;
    private readonly Histogram.Child unloadLatency;
    private readonly Gauge.Child count;
    // How many of each id: two methods may load models of the same, and a load that was given up may succeed beside a new one.
    private readonly Dictionary<string, int> registered = new(StringComparer.Ordinal);
    private bool removed;

    public ModelMetrics(ReplicaId replica)
    {
        labels = [replica.Deployment.Application, replica.Deployment.Name, replica.ToString()];
        requests = ModelMetricFamilies.Requests.WithLabels(labels);
        loads = ModelMetricFamilies.Loads.WithLabels(labels);
        unloads = ModelMetricFamilies.Unloads.WithLabels(labels);
        loadLatency = ModelMetricFamilies.LoadLatency.WithLabels(labels);
        unloadLatency = ModelMetricFamilies.UnloadLatency.WithLabels(labels);
        count = ModelMetricFamilies.Count.WithLabels(labels);
    }

    public void CountRequest() => requests.Inc();

    public void ObserveLoad(string model, TimeSpan took)
    {
        loads.Inc();
        loadLatency.Observe(took.TotalMilliseconds);
        lock (registered)
        {
            if (removed)
                return;
            count.Inc();
            registered[model] = registered.GetValueOrDefault(model) + 1;
            ModelMetricFamilies.Registered.WithLabels([.. labels, model]).Set(1);
        }
    }

    public void ObserveUnload(string model, TimeSpan took)
    {
        unloads.Inc();
        unloadLatency.Observe(took.TotalMilliseconds);
        lock (registered)
        {
            if (removed)
                return;
            count.Dec();
            if (--registered[model] > 0)
                return;
            registered.Remove(model);
            ModelMetricFamilies.Registered.RemoveLabelled([.. labels, model]);
        }
    }

    public void Dispose()
    {
        lock (registered)
        {
            removed = true;
            foreach (var model in registered.Keys)
                ModelMetricFamilies.Registered.RemoveLabelled([.. labels, model]);
        }

        requests.Remove();
        loads.Remove();
        unloads.Remove();
        loadLatency.Remove();
        unloadLatency.Remove();
        count.Remove();
    }
}
