using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using Serve.Calls;
using Serve.Routes;
using Serve.Routing;

namespace Serve.RoutingBench;

/// <summary>
/// Overload at three times the capacity with two priorities: latency of the high one against its latency without overload, and completed requests against the capacity. The replicas wait instead of
/// computing, so that the measured program has the CPU for itself; the duration is random, as equal ones would synchronize the replicas.
/// </summary>
internal static class OverloadRows
{
    private const int Replicas = 4;
    private const int MaxOngoing = 8;
    private static readonly TimeSpan ServiceTime = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(1);

    public static async Task RunAsync(bool isQuick)
    {
        var duration = TimeSpan.FromSeconds(isQuick ? 3 : 15);
        using var table = new RouteTable(_ => new WaitingTarget(ServiceTime));
        table.Apply(new RouteSnapshot
        {
            Version = new(1, 1),
            Deployments =
            [
                new DeploymentRoute
                {
                    Application = "bench",
                    Deployment = "D",
                    MaxOngoingRequests = MaxOngoing,
                    MaxQueuedRequests = 1000,
                    Replicas = [.. Enumerable.Range(0, Replicas).Select(i => new ReplicaRoute($"bench#D#r{i}", new(new("n1"), "here")))],
                },
            ],
        });
        var target = table.GetTarget("D");
        await OpenLoopAsync(target, TimeSpan.FromSeconds(1), (0, 500));
        var capacity = await CapacityAsync(target, duration);
        var alone = (await OpenLoopAsync(target, duration, (5, capacity / 2)))[0];
        var both = await OpenLoopAsync(target, duration, (5, capacity / 2), (0, capacity * 2.5));
        var goodput = both.Sum(each => each.InTime) / duration.TotalSeconds;
        Console.WriteLine($"Overload at 3 times the capacity of {capacity:0} requests/s, timeout {Timeout.TotalSeconds} s:");
        Console.WriteLine($"  high priority alone     p50 {alone.Percentile(0.5),6:0.0} ms  p99 {alone.Percentile(0.99),6:0.0} ms");
        Console.WriteLine($"  high priority           p50 {both[0].Percentile(0.5),6:0.0} ms  p99 {both[0].Percentile(0.99),6:0.0} ms  ({both[0].Percentile(0.99) / alone.Percentile(0.99):0.00} x)  completed {both[0].Completed:P1}");
        Console.WriteLine($"  low priority            p50 {both[1].Percentile(0.5),6:0.0} ms  p99 {both[1].Percentile(0.99),6:0.0} ms            completed {both[1].Completed:P1}");
        Console.WriteLine($"  goodput                 {goodput:0} requests/s ({goodput / capacity:0.00} x)");
    }

    private static async Task<double> CapacityAsync(ICallTarget target, TimeSpan duration)
    {
        var (completed, since) = (0, Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, 2 * Replicas * MaxOngoing).Select(async _ =>
        {
            while (Stopwatch.GetElapsedTime(since) < duration)
            {
                await target.InvokeAsync(new NamedMethodCall<int>("Call"), CallContext.None, CancellationToken.None);
                Interlocked.Increment(ref completed);
            }
        }));
        return completed / Stopwatch.GetElapsedTime(since).TotalSeconds;
    }

    /// <summary>Sends requests at fixed rates, whether earlier ones have ended or not.</summary>
    private static async Task<ClassResult[]> OpenLoopAsync(ICallTarget target, TimeSpan duration, params (int Priority, double Rate)[] classes)
    {
        var results = classes.Select(_ => new ClassResult()).ToArray();
        var since = Stopwatch.GetTimestamp();
        List<Task> running = [];
        while (Stopwatch.GetElapsedTime(since) is var elapsed && elapsed < duration)
        {
            for (var i = 0; i < classes.Length; i++)
            {
                for (; results[i].Sent < classes[i].Rate * elapsed.TotalSeconds; results[i].Sent++)
                    running.Add(SendAsync(target, classes[i].Priority, results[i]));
            }

            await Task.Delay(1);
        }

        // Without those that are completed after the load has ended.
        foreach (var result in results)
            result.InTime = result.Latencies.Count;
        await Task.WhenAll(running);
        return results;
    }

    private static async Task SendAsync(ICallTarget target, int priority, ClassResult result)
    {
        var sent = Stopwatch.GetTimestamp();
        using var stop = new CancellationTokenSource(Timeout);
        try
        {
            var context = new CallContext { Urgency = new CallUrgency(0, priority).Within(Timeout, TimeProvider.System) };
            await target.InvokeAsync(new NamedMethodCall<int>("Call"), context, stop.Token);
            result.Latencies.Add(Stopwatch.GetElapsedTime(sent).TotalMilliseconds);
        }
        catch (Exception refused) when (refused is OverloadedException or DeadlineUnmeetableException or OperationCanceledException)
        {
            // Counted by their absence.
        }
    }

    private sealed class ClassResult
    {
        public int Sent { get; set; }

        public int InTime { get; set; }

        public ConcurrentBag<double> Latencies { get; } = [];

        public double Completed => Latencies.Count / (double)Sent;

        public double Percentile(double part) => Latencies.IsEmpty ? double.NaN : Latencies.Order().ElementAt((int)((Latencies.Count - 1) * part));
    }

    private sealed class WaitingTarget(TimeSpan service) : ICallTarget
    {
        public async ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
        {
            await Task.Delay(service * (0.5 + Random.Shared.NextDouble()), cancellationToken);
            return default!;
        }

        public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
            MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            await Task.Delay(service, cancellationToken);
            yield break;
        }
    }
}
