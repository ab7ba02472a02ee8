using Serve.Replica.Batching;

namespace Serve.Replica.Tests.Batching;

/// <summary>The adaptive window in a simulated server: one batch at a time, with a fixed cost and a cost per item. Times are microseconds.</summary>
public sealed class AdaptiveBatchWindowTests
{
    private const int MaxBatchSize = 64;

    [Fact]
    public void Line_IsLearnedFromBatches()
    {
        var window = new AdaptiveBatchWindow();

        for (var i = 0; i < 200; i++)
            window.OnEnded(1 + (i % 9), 5000 + (100 * (1 + (i % 9))), i * 10_000);

        Assert.InRange(window.FixedCost, 4990, 5010);
        Assert.InRange(window.CostPerSize, 99, 101);
    }

    [Fact]
    public void Line_CostsThatChange_AreForgotten()
    {
        var window = new AdaptiveBatchWindow();
        foreach (var cost in new[] { 5000, 1000 })
        {
            for (var i = 0; i < 300; i++)
                window.OnEnded(1 + (i % 9), cost + (100 * (1 + (i % 9))), i);
        }

        Assert.InRange(window.FixedCost, 990, 1010);
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(100, 101)]
    public void Line_SizesThatHardlyDiffer_IsHalfAndHalf(int one, int other)
    {
        var window = new AdaptiveBatchWindow();
        for (var i = 0; i < 100; i++)
            window.OnEnded(i % 2 == 0 ? one : other, i % 2 == 0 ? 7000 : 9000, i);

        Assert.InRange(window.FixedCost, 3950, 4050);
        Assert.InRange(window.CostPerSize * one, 3900, 4050);
    }

    [Fact]
    public void Gap_OneLongSilence_IsNoRule()
    {
        var window = new AdaptiveBatchWindow();
        var now = 0;
        for (var i = 0; i < 50; i++)
            window.OnArrived(now += 100);

        window.OnArrived(now + 100_000);

        Assert.InRange(window.Gap, 105, 115);
    }

    [Fact]
    public void Crowd_SeenOnce_IsHalfBelieved()
    {
        var window = new AdaptiveBatchWindow();
        for (var i = 0; i < 50; i++)
            window.OnStarted(most: 1);

        window.OnStarted(most: 9);

        Assert.InRange(window.Crowd, 2.5, 3.5);
    }

    [Fact]
    public void StartBy_NothingKnown_IsAtOnce() => Assert.Equal(7, new AdaptiveBatchWindow().StartBy(1, 1, 7));

    [Fact]
    public void StartBy_AnyHistory_IsNeverLaterThanTheFixedCostAfterTheLastEvent()
    {
        var random = new Random(5);
        for (var run = 0; run < 2000; run++)
        {
            var window = new AdaptiveBatchWindow();
            var now = 0L;
            for (var i = 0; i < random.Next(1, 60); i++)
            {
                now += random.Next(0, 3000);
                if (random.Next(3) == 0)
                    window.OnEnded(random.Next(1, 40), random.Next(1, 20_000), now);
                else if (random.Next(2) == 0)
                    window.OnStarted(random.Next(1, 40));
                else
                    window.OnArrived(now);
            }

            var (callers, later) = (random.Next(1, 40), now + random.Next(0, 5000));
            var by = window.StartBy(callers, callers, later);

            Assert.True(window.FixedCost >= 0 && window.CostPerSize >= 0 && double.IsFinite(window.FixedCost), $"run {run}: {window.FixedCost} {window.CostPerSize}");
            Assert.True(by <= Math.Max(later, now + (window.FixedCost / (callers + 1))), $"run {run}: {by} of {later}, cost {window.FixedCost}");
            // The more callers wait, the less it pays to wait longer.
            Assert.True(window.StartBy(callers + 1, callers + 1, later) <= Math.Max(later, by), $"run {run}");
        }
    }

    [Fact]
    public void LoneCaller_NeverWaits_EvenWhereAnotherWouldBeWorthIt()
    {
        var window = new AdaptiveBatchWindow();
        var now = 0L;
        for (var i = 0; i < 200; i++, now += 6050)
        {
            // Different sizes, so that the fixed cost is known, and short silences.
            window.OnStarted(most: 1);
            window.OnEnded(1 + (i % 9), 5000 + (100 * (1 + (i % 9))), now + 6000);
            window.OnArrived(now + 6050);
        }

        Assert.Equal(now, window.StartBy(1, 1, now));

        // The only reason is that there are no others: with two recent concurrent callers, the same caller waits.
        for (var i = 0; i < 20; i++)
            window.OnStarted(most: 2);
        Assert.InRange(window.StartBy(1, 1, now), now + 2400, now + 2500);
    }

    [Fact]
    public void ManyCallersAtOnce_ArriveTogetherAgain()
    {
        // Without the window, they split into two halves that wait for each other.
        var never = Simulate(new Server(5000, 100), closed: 32, think: 50, adaptive: false);
        var adaptive = Simulate(new Server(5000, 100), closed: 32, think: 50);

        Assert.True(adaptive.Last(2000).Average() < 0.8 * never.Last(2000).Average(), $"{adaptive.Last(2000).Average()} against {never.Last(2000).Average()}");
    }

    [Fact]
    public void CallersWhoHaveGone_AreNotWaitedForForLong()
    {
        var server = new Server(5000, 100);
        server.RunClosed(32, 50, calls: 2000, adaptive: true);

        var latencies = server.RunClosed(1, 50, calls: 200, adaptive: true);

        Assert.All(latencies, latency => Assert.InRange(latency, 5099, 5100 + 2500));
        Assert.All(latencies.Last(100), latency => Assert.Equal(5100, latency, 1.0));
    }

    [Theory]
    [InlineData(100)]
    [InlineData(1000)]
    [InlineData(4000)]
    [InlineData(20_000)]
    [InlineData(100_000)]
    public void RandomArrivals_AtAnyRate_NotSlowerThanNeverOrAlwaysWaiting(int gap)
    {
        var never = Simulate(new Server(5000, 100), open: gap, adaptive: false).Last(4000).Average();
        var always = Simulate(new Server(5000, 100), open: gap, adaptive: false, window: 10_000).Last(4000).Average();
        var adaptive = Simulate(new Server(5000, 100), open: gap).Last(4000).Average();

        Assert.True(adaptive <= 1.08 * never, $"{adaptive} against {never} of never waiting");
        Assert.True(adaptive <= 1.08 * always, $"{adaptive} against {always} of always waiting");
    }

    private static List<double> Simulate(Server server, int closed = 0, int think = 0, int open = 0, bool adaptive = true, int window = 0) =>
        open > 0 ? server.RunOpen(open, 8000, adaptive, window) : server.RunClosed(closed, think, 5000, adaptive);

    /// <summary>A queue and a server in simulated time, with the rules of the real queue: a batch starts when it is full, after the timeout, or by the window.</summary>
    private sealed class Server(double fixedCost, double costPerItem)
    {
        private readonly AdaptiveBatchWindow _learned = new();
        private readonly Random _random = new(11);
        private double _now;

        public List<double> RunClosed(int callers, double think, int calls, bool adaptive)
        {
            var arrivals = new PriorityQueue<double, double>();
            for (var i = 0; i < callers; i++)
                arrivals.Enqueue(_now + i, _now + i);
            return Run(arrivals, calls, adaptive, 0, ended =>
            {
                var back = ended + think + _random.NextDouble();
                arrivals.Enqueue(back, back);
            });
        }

        public List<double> RunOpen(double gap, int calls, bool adaptive, double window)
        {
            var arrivals = new PriorityQueue<double, double>();
            for (var (i, at) = (0, _now); i < calls; i++)
            {
                at += -Math.Log(1 - _random.NextDouble()) * gap;
                arrivals.Enqueue(at, at);
            }

            return Run(arrivals, calls, adaptive, window, _ => { });
        }

        private List<double> Run(PriorityQueue<double, double> arrivals, int calls, bool adaptive, double window, Action<double> onEnded)
        {
            List<double> latencies = [];
            List<double> waiting = [];
            List<double> running = [];
            var endsAt = double.MaxValue;
            var started = 0.0;
            var most = 0;
            while (latencies.Count < calls)
            {
                most = Math.Max(most, waiting.Count + running.Count);
                var startBy = running.Count > 0 || waiting.Count == 0 ? double.MaxValue
                    : waiting.Count >= MaxBatchSize ? _now
                    : adaptive ? _learned.StartBy(waiting.Count, waiting.Count, (long)_now)
                    : waiting[0] + window;
                var next = Math.Min(Math.Max(startBy, _now), Math.Min(endsAt, arrivals.TryPeek(out var first, out _) ? first : double.MaxValue));
                _now = next;
                if (startBy <= _now)
                {
                    running = [.. waiting.Take(MaxBatchSize)];
                    waiting.RemoveRange(0, running.Count);
                    _learned.OnStarted(most);
                    most = 0;
                    started = _now;
                    endsAt = _now + fixedCost + (costPerItem * running.Count);
                }
                else if (endsAt <= _now)
                {
                    _learned.OnEnded(running.Count, (long)(_now - started), (long)_now);
                    latencies.AddRange(running.Select(arrived => _now - arrived));
                    running.ForEach(_ => onEnded(_now));
                    running = [];
                    endsAt = double.MaxValue;
                }
                else
                {
                    waiting.Add(arrivals.Dequeue());
                    _learned.OnArrived((long)_now);
                }
            }

            return latencies;
        }
    }
}

internal static class LatencyExtensions
{
    public static IEnumerable<double> Last(this List<double> latencies, int count) => latencies.Skip(latencies.Count - count);
}
