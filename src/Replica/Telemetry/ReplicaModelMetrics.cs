using Prometheus;

namespace Serve.Replica.Telemetry;

/// <summary>Metrics of the multiplexed models of one replica, with Ray Serve's names. Removed when the replica stops.</summary>
internal sealed class ReplicaModelMetrics : IDisposable
{
    private readonly string[] _labels;
    private readonly Counter.Child _requests;
    private readonly Counter.Child _loads;
    private readonly Counter.Child _unloads;
    private readonly Histogram.Child _loadLatency;
    private readonly Histogram.Child _unloadLatency;
    private readonly Gauge.Child _count;
    // Number of models per id: two methods may load models with the same id, and an abandoned load may succeed next to a new one.
    private readonly Dictionary<string, int> _registered = new(StringComparer.Ordinal);
    private bool _removed;

    public ReplicaModelMetrics(ReplicaId replica)
    {
        _labels = [replica.Deployment.Application, replica.Deployment.Name, replica.ToString()];
        _requests = MultiplexedModelMetricFamilies.Requests.WithLabels(_labels);
        _loads = MultiplexedModelMetricFamilies.Loads.WithLabels(_labels);
        _unloads = MultiplexedModelMetricFamilies.Unloads.WithLabels(_labels);
        _loadLatency = MultiplexedModelMetricFamilies.LoadLatency.WithLabels(_labels);
        _unloadLatency = MultiplexedModelMetricFamilies.UnloadLatency.WithLabels(_labels);
        _count = MultiplexedModelMetricFamilies.Count.WithLabels(_labels);
    }

    public void CountRequest() => _requests.Inc();

    public void ObserveLoad(string model, TimeSpan took)
    {
        _loads.Inc();
        _loadLatency.Observe(took.TotalMilliseconds);
        lock (_registered)
        {
            if (_removed)
                return;
            _count.Inc();
            _registered[model] = _registered.GetValueOrDefault(model) + 1;
            MultiplexedModelMetricFamilies.Registered.WithLabels([.. _labels, model]).Set(1);
        }
    }

    public void ObserveUnload(string model, TimeSpan took)
    {
        _unloads.Inc();
        _unloadLatency.Observe(took.TotalMilliseconds);
        lock (_registered)
        {
            if (_removed)
                return;
            _count.Dec();
            if (--_registered[model] > 0)
                return;
            _registered.Remove(model);
            MultiplexedModelMetricFamilies.Registered.RemoveLabelled([.. _labels, model]);
        }
    }

    public void Dispose()
    {
        lock (_registered)
        {
            _removed = true;
            foreach (var model in _registered.Keys)
                MultiplexedModelMetricFamilies.Registered.RemoveLabelled([.. _labels, model]);
        }

        _requests.Remove();
        _loads.Remove();
        _unloads.Remove();
        _loadLatency.Remove();
        _unloadLatency.Remove();
        _count.Remove();
    }
}
