using Serve.Control.Autoscaling;
using Serve.Specs;

namespace Serve.RoutingBench;

/// <summary>
/// A day of traffic on virtual time, which the autoscaling policy of the controller decides about. Requests are a fluid in steps of 100 ms, the interval in which routers report their load: each
/// replica serves up to <see cref="MaxOngoing"/> requests at a time, and a new one is ready after <see cref="StartTime"/>.
/// </summary>
internal sealed class DaySimulation
{
    private const double Step = 0.1;
    private const double ServiceTime = 0.2;
    private const int MaxOngoing = 4;
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(2);
    private static readonly DateTimeOffset Midnight = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private static readonly AutoscalingSpec Spec = new()
    {
        MinReplicas = 0,
        MaxReplicas = 20,
        TargetOngoingRequests = 2,
        UpscaleDelayS = 5,
        DownscaleDelayS = 300,
        DownscaleToZeroDelayS = 300,
    };

    private readonly Random _random = new(14);

    /// <summary>Averages of each period: requests per second, replicas, and the latency of 99 % of the requests in milliseconds.</summary>
    public List<(double Hour, double Rate, double Replicas, double Latency)> Points { get; } = [];

    public long Requests { get; private set; }

    public int Decisions { get; private set; }

    public int Changes { get; private set; }

    /// <summary>Runs the day.</summary>
    public DaySimulation Run(TimeSpan period)
    {
        var stepsPerPoint = (int)(period.TotalSeconds / Step);
        var (state, target, ready, waiting) = (AutoscalingState.Initial, 0, 0, 0.0);
        var starting = new Queue<(DateTimeOffset At, int Target)>();
        var (due, reported) = (DateTimeOffset.MaxValue, -1);
        List<(double Latency, int Weight)> latencies = [];
        var (arrived, replicaSteps) = (0L, 0L);
        var none = DeploymentLoad.None.Ongoing;
        for (var step = 0; step < 24 * 3600 / Step; step++)
        {
            var now = Midnight.AddSeconds(step * Step);
            while (starting.TryPeek(out var next) && next.At <= now)
                ready = Math.Min(starting.Dequeue().Target, target);
            var arrivals = Arrivals(step * Step / 3600);
            waiting += arrivals;
            (arrived, Requests, replicaSteps) = (arrived + arrivals, Requests + arrivals, replicaSteps + ready);
            if (arrivals > 0)
                latencies.Add((Latency(waiting, ready, starting, now), arrivals));
            var load = (int)Math.Ceiling(waiting);
            if (load != reported || due <= now)
            {
                var ongoing = Math.Min(load, ready * MaxOngoing);
                var result = AutoscalingPolicy.Decide(
                    new()
                    {
                        Spec = Spec,
                        MinReplicas = Spec.MinReplicas,
                        MaxReplicas = Spec.MaxReplicas,
                        Target = target,
                        Running = ready,
                        Load = new(load - ongoing, ongoing == 0 ? none : none.Add("replicas", ongoing), arrivals > 0),
                    },
                    state,
                    now);
                (state, reported, due, Decisions) = (result.State, load, result.NextWakeUp ?? DateTimeOffset.MaxValue, Decisions + 1);
                if (result.Target > target)
                    starting.Enqueue((now + StartTime, result.Target));
                if (result.Target != target)
                    Changes++;
                (target, ready) = (result.Target, Math.Min(ready, result.Target));
            }

            waiting = Math.Max(0, waiting - (Math.Min(waiting, ready * MaxOngoing) * Step / ServiceTime));
            if (waiting < 0.01)
                waiting = 0;
            if ((step + 1) % stepsPerPoint != 0)
                continue;
            Points.Add(((step + 1) * Step / 3600, arrived / period.TotalSeconds, replicaSteps / (double)stepsPerPoint, Percentile(latencies, 0.99) * 1000));
            (arrived, replicaSteps) = (0, 0);
            latencies.Clear();
        }

        return this;
    }

    // A night without requests, a peak at noon and one in the evening, and two bursts.
    private int Arrivals(double hour)
    {
        var rate = hour is < 5 or > 23.5 ? 0 : (90 * Math.Exp(-Math.Pow((hour - 12) / 2.5, 2))) + (60 * Math.Exp(-Math.Pow((hour - 20) / 1.5, 2))) + (hour is > 9 and < 9.2 or > 16 and < 16.1 ? 50 : 0);
        // A Poisson number by Knuth's method; the mean is small.
        var (limit, count, product) = (Math.Exp(-rate * Step), 0, _random.NextDouble());
        for (; product > limit; count++)
            product *= _random.NextDouble();
        return count;
    }

    private static double Latency(double waiting, int ready, Queue<(DateTimeOffset At, int Target)> starting, DateTimeOffset now) => ready > 0
        ? ServiceTime * Math.Max(1, waiting / (ready * MaxOngoing))
        : ServiceTime + (starting.TryPeek(out var next) ? (next.At - now) : StartTime).TotalSeconds;

    private static double Percentile(List<(double Latency, int Weight)> latencies, double part)
    {
        var left = latencies.Sum(static each => each.Weight) * part;
        foreach (var (latency, weight) in latencies.OrderBy(static each => each.Latency))
        {
            if ((left -= weight) <= 0)
                return latency;
        }

        return 0;
    }
}
