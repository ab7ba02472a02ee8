using System.Diagnostics;
using Serve.Calls;
using Serve.Routes;
using Serve.Routing;

namespace Serve.RoutingBench;

/// <summary>Duration and allocations of an assignment, from the pick to the return of the lease, by policy and number of replicas.</summary>
internal static class PickerRows
{
    public static void Run(bool isQuick)
    {
        Console.WriteLine("Pick, take and return a lease, one thread, every replica with 3 ongoing requests (median of 7 rounds):");
        foreach (var count in new[] { 1, 10, 100 })
        {
            foreach (var policy in Enum.GetValues<RoutingPolicy>())
            {
                using var table = new RouteTable(_ => UnreachableTarget.Instance);
                table.Apply(SnapshotOf(policy, count));
                var router = table.Current.FindDeployment("D", "bench");
                for (var i = 0; i < 3 * count; i++)
                    router.TryAcquire(default, out _);
                var (nanoseconds, bytes) = Measure(router, isQuick ? 100_000 : 1_000_000);
                Console.WriteLine($"  {count,3} replicas  {policy,-15} {nanoseconds,7:0.0} ns  {bytes,5:0.0} bytes");
            }
        }
    }

    private static (double Nanoseconds, double Bytes) Measure(DeploymentRouter router, int picks)
    {
        var requests = Enumerable.Range(0, 1024).Select(i => new RoutingRequest { Key = $"{i:D8}-d9cb-469f-a165-70867728950e" }).ToArray();
        List<(double Nanoseconds, double Bytes)> rounds = [];
        for (var round = 0; round < 8; round++)
        {
            var (before, since) = (GC.GetAllocatedBytesForCurrentThread(), Stopwatch.GetTimestamp());
            for (var i = 0; i < picks; i++)
            {
                if (router.TryAcquire(requests[i & 1023], out var lease))
                    lease.Release();
            }

            rounds.Add((Stopwatch.GetElapsedTime(since).TotalNanoseconds / picks, (GC.GetAllocatedBytesForCurrentThread() - before) / (double)picks));
        }

        return rounds.Skip(1).OrderBy(round => round.Nanoseconds).ElementAt(3);
    }

    private static RouteSnapshot SnapshotOf(RoutingPolicy policy, int count) => new()
    {
        Version = new(1, 1),
        Deployments =
        [
            new DeploymentRoute
            {
                Application = "bench",
                Deployment = "D",
                MaxOngoingRequests = 100,
                MaxQueuedRequests = 0,
                Routing = new RoutingRule { Policy = policy },
                Replicas = [.. Enumerable.Range(0, count).Select(i => new ReplicaRoute($"bench#D#r{i}", new(new("n1"), "here")))],
            },
        ],
    };

    private sealed class UnreachableTarget : ICallTarget
    {
        public static UnreachableTarget Instance { get; } = new();

        public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) => throw new NotSupportedException();

        public IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
