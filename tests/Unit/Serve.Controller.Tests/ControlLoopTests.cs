using Serve.Admin;
using Serve.Runtime;

namespace Serve.Controller.Tests;

public sealed class ControlLoopTests
{
    [Fact]
    public async Task Deploy_NewApplication_ComesUpAndIsRouted()
    {
        await using var node = new ControllerTestFixture();
        var created = new TaskCompletionSource();
        node.Runtime.OnCreate = _ => created.Task;
        await node.DeployAsync("counter", "Counter@1", 3);
        Assert.Equal(ApplicationStatus.Deploying, node.Controller.GetDetails("counter")!.Status);
        created.SetResult();
        await node.UntilAsync("counter", ApplicationStatus.Running);

        // Replicas are routed as they come up, and running before they are routed.
        await node.UntilAsync(() => node.Runtime.InForce?.Deployments.SingleOrDefault()?.Replicas.Length == 3);
        var route = Assert.Single(node.Runtime.InForce!.Deployments);
        Assert.Equal(node.Runtime.Actors.Keys.Order(), route.Replicas.Select(replica => replica.ReplicaId).Order());
        Assert.Equal([0, 1, 2], node.Controller.GetDetails("counter")!.Deployments["Counter"].Replicas.Select(replica => replica.Rank));
        Assert.Equal("/Counter", node.Runtime.InForce!.Applications[0].RoutePrefix);
    }

    [Fact]
    public async Task Deploy_NewCode_StopsOldOnlyAfterRoutesWithoutItAreInForce()
    {
        await using var node = new ControllerTestFixture();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var old = node.Running("counter");

        await node.DeployAsync("counter", "Counter@2", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var calls = node.Runtime.Calls.ToList();
        foreach (var id in old)
        {
            var stop = calls.IndexOf($"stop {id}");
            var lastNamed = calls.FindLastIndex(call => call.StartsWith("published", StringComparison.Ordinal) && call.Contains(id, StringComparison.Ordinal));
            var acknowledged = calls.FindIndex(lastNamed, call => call.StartsWith("published", StringComparison.Ordinal) && !call.Contains(id, StringComparison.Ordinal));
            Assert.InRange(acknowledged, lastNamed + 1, stop - 1);
        }

        Assert.Equal(2, node.Runtime.Actors.Count);
        Assert.DoesNotContain(node.Runtime.Actors.Keys, old.Contains);
    }

    [Fact]
    public async Task Deploy_SameAgain_ChangesNothing()
    {
        await using var node = new ControllerTestFixture();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var before = node.Runtime.Calls.Count;
        Assert.False(await node.Controller.DeployAsync(ControllerTestFixture.Config("counter", "Counter@1", 2), CancellationToken.None));
        Assert.Equal(ApplicationStatus.Running, node.Controller.GetDetails("counter")!.Status);
        Assert.Equal(before, node.Runtime.Calls.Count);
    }

    [Fact]
    public async Task Deploy_ConstructorThrows_FailsWithItsTextAndKeepsWhatRan()
    {
        await using var node = new ControllerTestFixture();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var old = node.Running("counter");

        node.Runtime.OnCreate = start => start.PackageHash == "Counter@2"
            ? throw new ActorCreationException(new(start.ReplicaId), "no database at db:5432")
            : Task.CompletedTask;
        await node.DeployAsync("counter", "Counter@2", 2);
        await node.UntilAsync("counter", ApplicationStatus.DeployFailed, runClock: true);
        var details = node.Controller.GetDetails("counter")!;
        Assert.Contains("no database at db:5432", details.Message);
        Assert.Contains("keeps running", details.Message);
        Assert.Equal(old, node.Running("counter"));

        // What ran before is what is kept at full strength.
        node.Runtime.Kill(old[0]);
        await node.UntilAsync(() => node.Runtime.Actors.Count == 2 && !node.Running("counter").Contains(old[0]) && node.Running("counter").Length == 2);
        Assert.All(node.Runtime.Actors.Values, actor => Assert.Contains("Counter@1", System.Text.Encoding.UTF8.GetString(actor.Payload.Span)));
    }

    [Fact]
    public async Task ActorDied_RunningReplica_IsReplacedWithoutTheClockMoving()
    {
        await using var node = new ControllerTestFixture();
        await node.DeployAsync("counter", "Counter@1", 3);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var victim = node.Running("counter")[1];
        node.Runtime.Kill(victim, "killed by signal 9");
        await node.UntilAsync(() => node.Running("counter").Length == 3 && !node.Running("counter").Contains(victim));
        Assert.Contains(node.Controller.GetDetails("counter")!.Deployments["Counter"].Replicas,
            replica => replica.Rank == 1 && replica.Message!.Contains("signal 9", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_AfterRestart_BringsBackApplicationsAndScale()
    {
        var folder = Directory.CreateTempSubdirectory("serve-test-").FullName;
        await using (var first = new ControllerTestFixture(folder) { KeepFolder = true })
        {
            await first.DeployAsync("counter", "Counter@1", 1);
            await first.UntilAsync("counter", ApplicationStatus.Running);
            await first.Controller.ScaleAsync(new("counter", "Counter"), 3, CancellationToken.None);
            await first.UntilAsync("counter", ApplicationStatus.Running);
        }

        await using var second = new ControllerTestFixture(folder);
        await second.UntilAsync("counter", ApplicationStatus.Running);
        Assert.Equal(3, second.Running("counter").Length);
    }

    [Fact]
    public async Task Delete_RunningApplication_GoesFromRoutesFirstAndIsForgotten()
    {
        await using var node = new ControllerTestFixture();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var replicas = node.Running("counter");
        await node.Controller.DeleteAsync("counter", CancellationToken.None);
        await node.UntilAsync(() => node.Controller.GetDetails("counter") is null);
        var calls = node.Runtime.Calls.ToList();
        var withdrawn = calls.FindLastIndex(call => call.StartsWith("published", StringComparison.Ordinal));
        Assert.All(replicas, id => Assert.True(calls.IndexOf($"stop {id}") > withdrawn));
        Assert.Empty(node.Store.Load());
        Assert.Empty(node.Runtime.Actors);
    }

    [Fact]
    public async Task Shutdown_EverythingDrains_NothingIsForgotten()
    {
        await using var node = new ControllerTestFixture();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var report = await node.Controller.ShutdownAsync(CancellationToken.None);
        Assert.Empty(node.Runtime.Actors);
        Assert.Equal(2, report.Replicas.Count);
        Assert.Equal("counter", Assert.Single(node.Store.Load()).Name);
        await Assert.ThrowsAsync<NodeConflictException>(() => node.DeployAsync("other", "Other@1"));
    }
}
