using System.Diagnostics;
using System.Net;
using Serve.Testing;

namespace Serve.FaultTests;

/// <summary>When a worker dies, only its own requests fail, and it is replaced.</summary>
[Collection(FaultTestCollection.Name)]
public sealed class WorkerCrashTests(PatientPackageFixture package)
{
    private static readonly TimeSpan FullStrength = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task Kill_IsolationApplicationUnderLoad_OnlyItsRequestsFail()
    {
        const int Clients = 8;
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 4);
        var worker = (await node.WaitForReplicasAsync(4, name: "patient")).Pid();
        await using var load = new RequestLoadGenerator(node, Clients);
        await load.WaitForAnswersAsync(100);
        var held = await InFlightRequests.SendAsync(node, 3);

        var watch = Stopwatch.StartNew();
        ServeCliProcess.SignalTo(worker, ServeCliProcess.Kill);
        var took = await RecoveredAsync(node, 4, [worker], watch);

        Assert.Null(LinuxProcessTable.StateOf(worker));
        foreach (var response in await Task.WhenAll(held.Responses))
            Assert.Equal((HttpStatusCode.BadGateway, "replica_died"), (response.StatusCode, await ProblemDetailsReader.ReasonAsync(response)));
        await load.WaitForAnswersAsync(100);
        await load.StopAsync();
        OnlyTheKilledWorkersFailed(load);
        // One client has one request in progress; the new worker handled the later ones.
        Assert.InRange(load.Failures.Count, 0, Clients);
        Assert.True(took < FullStrength, $"{took.TotalSeconds} s\n{node.Process}");
    }

    [Fact]
    public async Task Crash_DuringResponse_TruncatesResponse()
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 1);
        await using var load = new RequestLoadGenerator(node, 1, "/patient/half");

        await Eventually.TrueAsync(() => load.Failures.Count > 0, () => "an answer has failed");

        Assert.Equal(RequestLoadGenerator.TruncatedResponse, load.Failures.First());
        Assert.Equal(0, load.Count);
    }

    [Fact]
    public async Task Kill_IsolationReplicaUnderLoad_OtherReplicasUnaffected()
    {
        const int Clients = 8;
        await using var node = await TestNodeProcess.StartAsync(IsolationMode.Replica);
        await node.DeployAsync(package, replicas: 3);
        await using var load = new RequestLoadGenerator(node, Clients);
        var held = await InFlightRequests.SendAsync(node, 9);
        await load.WaitForAnswersAsync(50);
        var serving = held.Processes;
        var worker = serving[0];
        Assert.Contains(serving, pid => pid != worker);

        var watch = Stopwatch.StartNew();
        ServeCliProcess.SignalTo(worker, ServeCliProcess.Kill);
        var dead = serving.Count(pid => pid == worker);
        await Eventually.TrueAsync(() => held.Responses.Count(response => response.IsCompleted) >= dead, () => "requests of the killed worker have failed");
        var took = await RecoveredAsync(node, 3, [worker], watch);
        held.Release();

        var responses = await Task.WhenAll(held.Responses);
        Assert.Equal(serving.Count - dead, responses.Count(response => response.StatusCode == HttpStatusCode.OK));
        foreach (var response in responses.Where(response => response.StatusCode != HttpStatusCode.OK))
            Assert.Equal((HttpStatusCode.BadGateway, "replica_died"), (response.StatusCode, await ProblemDetailsReader.ReasonAsync(response)));
        Assert.Null(LinuxProcessTable.StateOf(worker));
        await load.StopAsync();
        OnlyTheKilledWorkersFailed(load);
        Assert.InRange(load.Failures.Count, 0, Clients);
        Assert.True(took < FullStrength, $"{took.TotalSeconds} s\n{node.Process}");
    }

    [Theory]
    [InlineData("failfast", "heart stopped")]
    [InlineData("overflow", "Stack overflow")]
    public async Task UserCode_TerminatesProcess_OnlyItsReplicaFailsAndStatusShowsReason(string path, string why)
    {
        await using var node = await TestNodeProcess.StartAsync();
        await node.DeployAsync(package, replicas: 2);
        await node.DeployAsync(package, replicas: 1, name: "neighbour");
        var worker = (await node.WaitForReplicasAsync(2, name: "patient")).Pid();
        var neighbour = (await node.WaitForReplicasAsync(1, name: "neighbour")).Pid();
        Assert.NotEqual(worker, neighbour);
        var held = await InFlightRequests.SendAsync(node, 2, "neighbour");

        var watch = Stopwatch.StartNew();
        var response = await node.Gateway.GetAsync("/patient/" + path);

        Assert.Equal((HttpStatusCode.BadGateway, "replica_died"), (response.StatusCode, await ProblemDetailsReader.ReasonAsync(response)));
        var status = "";
        await Eventually.TrueAsync(
            async () => (status = (await node.CliAsync("status", "--json")).Output).Contains(why, StringComparison.Ordinal),
            () => $"status with '{why}', but {status}");
        await RecoveredAsync(node, 2, [worker], watch);
        held.Release();
        foreach (var answer in await Task.WhenAll(held.Responses))
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(neighbour, (await node.WaitForReplicasAsync(1, name: "neighbour")).Pid());
        Assert.Equal("one", await node.Gateway.GetStringAsync("/patient"));
        Assert.False(node.Process.HasExited);
    }

    // A response that had started before the kill can no longer become an error.
    private static void OnlyTheKilledWorkersFailed(RequestLoadGenerator load)
    {
        Assert.All(load.Failures, failure => Assert.Contains(failure, new[] { "502 replica_died", RequestLoadGenerator.TruncatedResponse }));
        Assert.Equal(["one"], load.Answers);
    }

    /// <summary>Waits until the status shows all replicas running, none of them in the killed process; returns the elapsed time.</summary>
    private static async Task<TimeSpan> RecoveredAsync(TestNodeProcess node, int replicas, int[] dead, Stopwatch watch)
    {
        await Eventually.TrueAsync(
            async () =>
            {
                var application = await node.Admin.GetApplicationAsync("patient");
                var running = application.Deployments["Patient"].Replicas;
                return application.Status == Admin.ApplicationStatus.Running && running.Count == replicas
                    && running.All(replica => replica.State == Admin.ReplicaState.Running && !dead.Contains(replica.Pid ?? 0));
            },
            () => $"{replicas} replicas running\n{node.Process}");
        return watch.Elapsed;
    }
}
