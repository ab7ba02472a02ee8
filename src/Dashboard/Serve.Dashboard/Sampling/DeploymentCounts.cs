namespace Serve.Dashboard.Sampling;

/// <summary>Counts of one replica, or of one deployment, since its processes have started. Mutable while the texts of the processes are read.</summary>
internal sealed class DeploymentCounts
{
    /// <summary>Upper bounds of the latency buckets in milliseconds; the last one is infinite. The same as in the metrics of replicas.</summary>
    public static readonly double[] Bounds = [1, 2, 5, 10, 20, 50, 100, 200, 300, 400, 500, 1000, 2000, 5000, 10000, 60000, 120000, 300000, 600000, double.PositiveInfinity];

    /// <summary>Requests and calls.</summary>
    public double Requests { get; set; }

    /// <summary>Failed ones.</summary>
    public double Errors { get; set; }

    /// <summary>Ongoing ones.</summary>
    public double Ongoing { get; set; }

    /// <summary>Requests that wait for a replica.</summary>
    public double Queued { get; set; }

    /// <summary>Sum of the sizes of all batches.</summary>
    public double BatchItems { get; set; }

    /// <summary>Number of batches.</summary>
    public double Batches { get; set; }

    /// <summary>Requests at most as slow as each bound.</summary>
    public double[] Latencies { get; } = new double[Bounds.Length];

    /// <summary>Adds other counts.</summary>
    /// <param name="other">The counts.</param>
    public void Add(DeploymentCounts other)
    {
        Requests += other.Requests;
        Errors += other.Errors;
        Ongoing += other.Ongoing;
        Queued += other.Queued;
        BatchItems += other.BatchItems;
        Batches += other.Batches;
        for (var index = 0; index < Latencies.Length; index++)
            Latencies[index] += other.Latencies[index];
    }
}

/// <summary>Load of a replica or a deployment between two samples. Unknown values are NaN.</summary>
/// <param name="Rate">Requests per second.</param>
/// <param name="P50">Median latency in milliseconds, interpolated within a bucket; NaN without requests.</param>
/// <param name="P99">Latency of which 99 % of the requests stay below.</param>
/// <param name="Queued">Requests that wait for a replica.</param>
/// <param name="Ongoing">Ongoing requests.</param>
/// <param name="ErrorRate">Failed requests per second.</param>
/// <param name="BatchSize">Mean size of batches; NaN without batches.</param>
internal readonly record struct DeploymentRates(double Rate, double P50, double P99, double Queued, double Ongoing, double ErrorRate, double BatchSize)
{
    /// <summary>Nothing is known.</summary>
    public static DeploymentRates Unknown { get; } = new(double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN, double.NaN);

    /// <summary>Returns the rates between two counts.</summary>
    /// <param name="before">The earlier counts; null for those of a replica that had none yet.</param>
    /// <param name="now">The later counts.</param>
    /// <param name="seconds">Time between them; NaN for the first counts of all.</param>
    public static DeploymentRates Between(DeploymentCounts? before, DeploymentCounts now, double seconds)
    {
        // A worker that has been replaced counts from 0 again.
        if (before is null || now.Requests < before.Requests)
            before = new();
        Span<double> latencies = stackalloc double[DeploymentCounts.Bounds.Length];
        for (var index = 0; index < latencies.Length; index++)
            latencies[index] = Math.Max(0, now.Latencies[index] - before.Latencies[index]);
        var batches = now.Batches - before.Batches;
        return double.IsNaN(seconds)
            ? Unknown with { Queued = now.Queued, Ongoing = now.Ongoing }
            : new(
                (now.Requests - before.Requests) / seconds, Quantile(latencies, 0.5), Quantile(latencies, 0.99), now.Queued, now.Ongoing,
                Math.Max(0, now.Errors - before.Errors) / seconds, batches > 0 ? (now.BatchItems - before.BatchItems) / batches : double.NaN);
    }

    private static double Quantile(ReadOnlySpan<double> cumulative, double share)
    {
        var total = cumulative[^1];
        if (total <= 0)
            return double.NaN;
        var rank = share * total;
        for (var index = 0; index < cumulative.Length; index++)
        {
            if (cumulative[index] < rank)
                continue;
            var (lower, below) = index == 0 ? (0, 0) : (DeploymentCounts.Bounds[index - 1], cumulative[index - 1]);
            var upper = DeploymentCounts.Bounds[index];
            return double.IsInfinity(upper) ? lower : lower + ((upper - lower) * (rank - below) / (cumulative[index] - below));
        }

        return double.NaN;
    }
}
