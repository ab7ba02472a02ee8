using System.Globalization;

namespace Serve.Dashboard.Sampling;

/// <summary>Reads the metrics of one sample from the texts of all processes. Only the families that the dashboard shows are parsed.</summary>
internal sealed class MetricTextReader
{
    private const string Requests = "serve_deployment_request_counter_total";
    private const string Errors = "serve_deployment_error_counter_total";
    private const string Latency = "serve_deployment_processing_latency_ms_bucket";
    private const string Ongoing = "serve_replica_processing_queries";
    private const string Queued = "serve_deployment_queued_queries";
    private const string BatchItems = "serve_actual_batch_size_sum";
    private const string Batches = "serve_actual_batch_size_count";
    private const string Runtime = "serve_process_";

    /// <summary>Counts of replicas by <c>app#deployment#suffix</c>.</summary>
    public Dictionary<string, DeploymentCounts> Replicas { get; } = new(StringComparer.Ordinal);

    /// <summary>Waiting requests of deployments by <c>app/deployment</c>.</summary>
    public Dictionary<string, double> QueuedByDeployment { get; } = new(StringComparer.Ordinal);

    /// <summary>Figures of the .NET runtime by process id and name of the metric without its prefix.</summary>
    public Dictionary<(int Pid, string Name), double> RuntimeFigures { get; } = [];

    /// <summary>Adds the metrics of a process.</summary>
    /// <param name="text">Its metrics in Prometheus' text format.</param>
    public void Add(string text)
    {
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (!line.StartsWith("serve_", StringComparison.Ordinal) || line.IndexOf('{') is not (> 0 and var brace) || line.LastIndexOf('}') is not (> 0 and var end)
                || !double.TryParse(line[(end + 1)..].Trim(), NumberStyles.Float, CultureInfo.InvariantCulture, out var value))
                continue;
            AddSample(line[..brace], line[(brace + 1)..end], value);
        }
    }

    private void AddSample(ReadOnlySpan<char> name, ReadOnlySpan<char> labels, double value)
    {
        switch (name)
        {
            case Requests:
                ReplicaOf(labels).Requests += value;
                break;
            case Errors:
                ReplicaOf(labels).Errors += value;
                break;
            case Ongoing:
                ReplicaOf(labels).Ongoing += value;
                break;
            case BatchItems:
                ReplicaOf(labels).BatchItems += value;
                break;
            case Batches:
                ReplicaOf(labels).Batches += value;
                break;
            case Latency:
                var bound = Label(labels, "le");
                var upper = bound is "+Inf" ? double.PositiveInfinity : double.Parse(bound, CultureInfo.InvariantCulture);
                if (Array.IndexOf(DeploymentCounts.Bounds, upper) is >= 0 and var index)
                    ReplicaOf(labels).Latencies[index] += value;
                break;
            case Queued:
                var deployment = $"{Label(labels, "application")}/{Label(labels, "deployment")}";
                QueuedByDeployment[deployment] = QueuedByDeployment.GetValueOrDefault(deployment) + value;
                break;
            default:
                if (name.StartsWith(Runtime, StringComparison.Ordinal) && int.TryParse(Label(labels, "pid"), NumberStyles.None, CultureInfo.InvariantCulture, out var pid))
                    RuntimeFigures[(pid, name[Runtime.Length..].ToString())] = value;
                break;
        }
    }

    private DeploymentCounts ReplicaOf(ReadOnlySpan<char> labels)
    {
        var key = Label(labels, "replica");
        var lookup = Replicas.GetAlternateLookup<ReadOnlySpan<char>>();
        if (!lookup.TryGetValue(key, out var counts))
            lookup[key] = counts = new();
        return counts;
    }

    // Names of applications, deployments and replicas contain no quotes, so the values are never escaped; a route, which may be, follows them.
    private static ReadOnlySpan<char> Label(ReadOnlySpan<char> labels, ReadOnlySpan<char> name)
    {
        var rest = labels;
        while (rest.IndexOf(name) is >= 0 and var at)
        {
            var isStart = at == 0 || rest[at - 1] == ',';
            rest = rest[(at + name.Length)..];
            if (!isStart || !rest.StartsWith("=\"", StringComparison.Ordinal))
                continue;
            rest = rest[2..];
            return rest.IndexOf('"') is >= 0 and var end ? rest[..end] : rest;
        }

        return [];
    }
}
