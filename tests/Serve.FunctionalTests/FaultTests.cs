using System.Diagnostics;
using System.Globalization;
using System.Net;
using Serve.Admin;
using Serve.FunctionalTests.Harness;
using Serve.Specs;

namespace Serve.FunctionalTests;

/// <summary>Processes that die.</summary>
[Collection(FunctionalCollection.Name)]
public sealed class FaultTests(SamplePackages packages)
{
    [Fact]
    public async Task KillWorker_RequestInFlight_ThatOneIsToldAndFullStrengthWithinTwoSeconds()
    {
        await using var node = await TestNode.StartAsync(IsolationMode.Replica);
        await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 2 });
        var workers = await node.WorkersAsync();
        var inFlight = Enumerable.Range(0, 8).Select(_ => node.Gateway.GetAsync("/lab/slow?ms=3000")).ToList();
        var ongoing = await OngoingPidAsync(node, workers);

        ServeProcess.SignalTo(ongoing, ServeProcess.Kill);
        var watch = Stopwatch.StartNew();
        await Eventually.TrueAsync(
            async () => (await node.WorkersAsync()) is { Count: 2 } now && !now.Contains(ongoing), () => "a new worker", TimeSpan.FromSeconds(2));
        await node.RunningAsync(2, TimeSpan.FromSeconds(2) - watch.Elapsed);
        Assert.Null(ProcessTable.StateOf(ongoing));

        var answers = await Task.WhenAll(inFlight);
        var dead = answers.Where(answer => answer.StatusCode != HttpStatusCode.OK).ToList();
        Assert.NotEmpty(dead);
        Assert.True(dead.Count < answers.Length, "requests on the other replica go on");
        foreach (var answer in dead)
            await IsolationTests.ProblemAsync(answer, HttpStatusCode.BadGateway, "replica_died", "");
        Assert.Equal(HttpStatusCode.OK, (await node.Gateway.GetAsync("/lab")).StatusCode);
    }

    [Theory]
    [InlineData("/lab/failfast")]
    [InlineData("/lab/overflow")]
    public async Task UserCode_TakesItsProcessDown_OnlyItsApplicationFeelsIt(string path)
    {
        await using var node = await TestNode.StartAsync();
        await node.DeployAsync(packages.Lab);
        await node.DeployAsync(packages.LabTwo, name: "other");
        Assert.Equal("""{"count":1}""", await node.Gateway.GetStringAsync("/other"));

        await IsolationTests.ProblemAsync(await node.Gateway.GetAsync(path), HttpStatusCode.BadGateway, "replica_died", "");

        Assert.Equal("""{"count":2}""", await node.Gateway.GetStringAsync("/other"));
        await Eventually.TrueAsync(
            async () => (await node.Gateway.GetAsync("/lab")).StatusCode == HttpStatusCode.OK, () => "lab answers again", TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task KillNode_WorkersGoneAndStartBringsEverythingBack()
    {
        using var scratch = new Scratch();
        await using (var node = await TestNode.StartAsync(scratch: scratch))
        {
            await node.DeployAsync(packages.Lab, new DeploymentOptions { NumReplicas = 2 });
            await node.DeployAsync(packages.LabTwo, name: "other");
            var workers = await node.WorkersAsync();
            Assert.Equal(2, workers.Count);

            node.Process.Signal(ServeProcess.Kill);
            await node.Process.ExitAsync();
            await ProcessTable.GoneAsync(workers, TimeSpan.FromSeconds(2));
        }

        await using var again = await TestNode.StartAsync(scratch: scratch);
        await again.StatusAsync(ApplicationStatus.Running);
        await again.StatusAsync(ApplicationStatus.Running, "other");
        await again.RunningAsync(2);
        Assert.Equal("one", await again.Gateway.GetStringAsync("/lab/version"));
        Assert.Equal("two", await again.Gateway.GetStringAsync("/other/version"));
    }

    private static async Task<int> OngoingPidAsync(TestNode node, List<int> workers)
    {
        // A process's own answer says whether it has begun any of them.
        HashSet<int> busy = [];
        await Eventually.TrueAsync(
            async () =>
            {
                var answer = (await node.Gateway.GetStringAsync("/lab/ongoing")).Split(' ');
                if (answer[1] != "0")
                    busy.Add(int.Parse(answer[0], CultureInfo.InvariantCulture));
                return busy.Count == workers.Count;
            },
            () => $"both replicas are busy, but only {string.Join(", ", busy)}");
        return workers[0];
    }
}
