using Serve.Testing;
using Xunit.Abstractions;

namespace Serve.FaultTests;

/// <summary>Repeats start, deploy, kill and stop, so that small leaks become visible.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class NodeLifecycleLoopTests(PatientPackageFixture package, ITestOutputHelper output)
{
    private const int Rounds = 50;
    private static readonly IsolationMode[] Isolations = [IsolationMode.Application, IsolationMode.Replica, IsolationMode.None];

    [Fact]
    public async Task StartDeployKillStop_FiftyTimes_ReleasesAllResources()
    {
        var round = -1;
        var seen = 0;
        // Two concurrent sequences, each with its own state directory, which the previous node must have released.
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            using var own = new ScratchDirectory();
            while (Interlocked.Increment(ref round) is var current && current < Rounds)
                Interlocked.Add(ref seen, await RoundAsync(own, Isolations[current % Isolations.Length]));
        }));

        output.WriteLine($"{Rounds} rounds, {seen} processes, nothing left");
    }

    private async Task<int> RoundAsync(ScratchDirectory scratch, IsolationMode isolation)
    {
        await using var node = await TestNodeProcess.StartAsync(isolation, scratch);
        await node.DeployAsync(package, replicas: 2);
        var remains = NodeResourceInventory.Of(node);
        var workers = remains.Processes[1..];
        Assert.Equal(isolation switch { IsolationMode.None => 0, IsolationMode.Application => 1, _ => 2 }, workers.Count);
        if (workers.Count > 0)
        {
            ServeCliProcess.SignalTo(workers[0], ServeCliProcess.Kill);
            await LinuxProcessTable.WaitForExitAsync([workers[0]], TimeSpan.FromSeconds(5));
        }

        await node.StopAsync();
        remains.AssertAllReleased();
        return remains.Processes.Count;
    }
}
