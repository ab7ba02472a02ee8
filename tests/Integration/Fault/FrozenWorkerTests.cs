using System.Collections.Concurrent;
using System.Diagnostics;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>A worker that SIGSTOP has frozen: every request is answered within 5 seconds, and the worker is replaced.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class FrozenWorkerTests(PatientPackageFixture package)
{
    private const int Stop = 19;
    private const int Clients = 8;
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    [Theory]
    [InlineData(IsolationMode.Application, 1)]
    [InlineData(IsolationMode.Replica, 2)]
    public async Task Stop_UnderLoad_RequestsAreAnsweredInTimeAndTheWorkerIsReplaced(IsolationMode isolation, int replicas)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation);
        await node.DeployAsync(package, replicas);
        var frozen = (await node.WaitForReplicasAsync(replicas, name: "patient"))[0].Pid!.Value;
        var waits = new ConcurrentQueue<TimeSpan>();
        using var end = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Clients).Select(_ => SendAsync(node, waits, end.Token)).ToArray();
        await Eventually.TrueAsync(() => waits.Count > 100);
        waits.Clear();

        ServeCliProcess.SignalTo(frozen, Stop);

        await Eventually.TrueAsync(
            async () =>
            {
                var found = (await node.Admin.GetApplicationAsync("patient")).Deployments["Patient"].Replicas;
                return found.Count == replicas && found.All(replica => replica.State == Admin.ReplicaState.Running && replica.Pid != frozen);
            },
            () => $"{replicas} replicas in other processes\n{node.Process}");
        await end.CancelAsync();
        await Task.WhenAll(clients);
        Assert.Null(LinuxProcessTable.StateOf(frozen));
        Assert.True(waits.Max() < LongestWait, $"The longest wait was {waits.Max().TotalSeconds} s.\n{node.Process}");
    }

    private static async Task SendAsync(TestNodeProcess node, ConcurrentQueue<TimeSpan> waits, CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            var watch = Stopwatch.StartNew();

            // Of any status: a request to the frozen worker fails when it is replaced.
            using var response = await node.Gateway.GetAsync("/patient", CancellationToken.None);
            waits.Enqueue(watch.Elapsed);
        }
    }
}
