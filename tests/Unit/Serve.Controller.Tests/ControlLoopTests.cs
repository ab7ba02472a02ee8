using System.Text.Json;
using Serve.Admin;
using Serve.Controller.Applications;
using Serve.Nodes;
using Serve.Specs;

namespace Serve.Controller.Tests;

public sealed class ControlLoopTests
{
    [Fact]
    public async Task Deploy_NewApplication_StartsAndIsRouted()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        var created = new TaskCompletionSource();
        node.Agent.OnCreate = _ => created.Task;
        await node.DeployAsync("counter", "Counter@1", 3);
        Assert.Equal(ApplicationStatus.Deploying, node.Controller.GetDetails("counter")!.Status);
        created.SetResult();
        await node.UntilAsync("counter", ApplicationStatus.Running);

        // Each replica is routed as soon as it runs.
        await node.UntilAsync(() => node.Agent.Routes?.Deployments.SingleOrDefault()?.Replicas.Length == 3);
        var route = Assert.Single(node.Agent.Routes!.Deployments);
        Assert.Equal(node.Agent.Actors.Keys.Order(), route.Replicas.Select(replica => replica.ReplicaId).Order());
        Assert.Equal([0, 1, 2], node.Controller.GetDetails("counter")!.Deployments["Counter"].Replicas.Select(replica => replica.Rank));
        Assert.Equal("/Counter", node.Agent.Routes!.Applications[0].RoutePrefix);
    }

    [Fact]
    public async Task GetDetails_ReplicasWithNotices_ListsEachOnceUntilTheyChange()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        node.Agent.Notices = ["requests are not batched"];
        await node.DeployAsync("model", "Model@1", 2);
        await node.UntilAsync("model", ApplicationStatus.Running);
        Assert.Equal(["requests are not batched"], node.Controller.GetDetails("model")!.Deployments["Model"].Notices);

        node.Agent.Notices = [];
        await node.DeployAsync("model", "Model@1", 2, options => options with { UserConfig = new() { ["batching"] = true } });
        await node.UntilAsync("model", ApplicationStatus.Running);
        Assert.Empty(node.Controller.GetDetails("model")!.Deployments["Model"].Notices);
    }

    [Fact]
    public async Task Metrics_DeletedApplication_AreRemovedAfterAWhile()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("gone", "Counter@1");
        await node.DeployAsync("kept", "Other@1", settings: options => options with { HealthCheckPeriodS = 1e6 });
        await node.UntilAsync("gone", ApplicationStatus.Running);
        await node.UntilAsync("kept", ApplicationStatus.Running);
        await node.Controller.DeleteAsync("gone", CancellationToken.None);
        await node.UntilAsync(() => node.Controller.GetDetails("gone") is null);
        Assert.Contains("\"gone\"", await ExportAsync(node), StringComparison.Ordinal);

        node.Clock.Advance(TimeSpan.FromMinutes(6));
        var text = await ExportAsync(node);
        Assert.DoesNotContain("\"gone\"", text, StringComparison.Ordinal);
        Assert.Contains("serve_deployment_replica_starts_total{application=\"kept\"", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deploy_NodeProvidesNoProcess_IsRetriedUntilItDoes()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        var failures = 0;
        node.Agent.OnCreate = start => ++failures <= 5
            ? throw new ActorCreationException(new(start.ReplicaId), "no worker could be started") { IsNodeFailure = true }
            : Task.CompletedTask;
        await node.DeployAsync("counter", "Counter@1", settings: options => options with { MaxConstructorRetryCount = 1 });
        await node.UntilAsync("counter", ApplicationStatus.Running, runClock: true);
        Assert.Equal(6, failures);
    }

    private static async Task<string> ExportAsync(ControllerTestFixture node)
    {
        using var stream = new MemoryStream();
        await node.Registry.CollectAndExportAsTextAsync(stream);
        return System.Text.Encoding.UTF8.GetString(stream.ToArray());
    }

    [Fact]
    public async Task Deploy_NewCode_StopsOldReplicasAfterRoutesWithoutThemAreAcknowledged()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var old = node.Running("counter");

        await node.DeployAsync("counter", "Counter@2", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var calls = node.Agent.Calls.ToList();
        foreach (var id in old)
        {
            var stop = calls.IndexOf($"stop {id}");
            var lastNamed = calls.FindLastIndex(call => call.StartsWith("published", StringComparison.Ordinal) && call.Contains(id, StringComparison.Ordinal));
            var acknowledged = calls.FindIndex(lastNamed, call => call.StartsWith("published", StringComparison.Ordinal) && !call.Contains(id, StringComparison.Ordinal));
            Assert.InRange(acknowledged, lastNamed + 1, stop - 1);
        }

        Assert.Equal(2, node.Agent.Actors.Count);
        Assert.DoesNotContain(node.Agent.Actors.Keys, old.Contains);
    }

    [Fact]
    public async Task Deploy_SameAgain_ChangesNothing()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);

        // The status is visible before the routes of the last replica are published.
        await node.UntilAsync(() => node.Agent.Calls.Last().StartsWith("published", StringComparison.Ordinal) && node.Running("counter").All(replica => node.Agent.Calls.Last().Contains(replica, StringComparison.Ordinal)));
        var before = node.Agent.Calls.Count;
        Assert.False(await node.Controller.DeployAsync(ControllerTestFixture.Config("counter", "Counter@1", 2), CancellationToken.None));
        Assert.Equal(ApplicationStatus.Running, node.Controller.GetDetails("counter")!.Status);
        Assert.Equal(before, node.Agent.Calls.Count);
    }

    [Fact]
    public async Task Deploy_ConstructorThrows_FailsWithTheErrorAndKeepsThePreviousVersion()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var old = node.Running("counter");

        node.Agent.OnCreate = start => start.PackageHash == "Counter@2"
            ? throw new ActorCreationException(new(start.ReplicaId), "no database at db:5432")
            : Task.CompletedTask;
        await node.DeployAsync("counter", "Counter@2", 2);
        await node.UntilAsync("counter", ApplicationStatus.DeployFailed, runClock: true);
        var details = node.Controller.GetDetails("counter")!;
        Assert.Contains("no database at db:5432", details.Message);
        Assert.Contains("keeps running", details.Message);
        Assert.Equal(old, node.Running("counter"));

        // The previous version is kept at its target.
        node.Agent.Kill(old[0]);
        await node.UntilAsync(() => node.Agent.Actors.Count == 2 && !node.Running("counter").Contains(old[0]) && node.Running("counter").Length == 2);
        Assert.All(node.Agent.Actors.Values, actor => Assert.Contains("Counter@1", System.Text.Encoding.UTF8.GetString(actor.Payload.Span)));
    }

    [Fact]
    public async Task ActorDied_RunningReplica_IsReplacedWithoutDelay()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 3);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var victim = node.Running("counter")[1];
        node.Agent.Kill(victim, "killed by signal 9");
        await node.UntilAsync(() => node.Running("counter").Length == 3 && !node.Running("counter").Contains(victim));
        Assert.Contains(node.Controller.GetDetails("counter")!.Deployments["Counter"].Replicas,
            replica => replica.Rank == 1 && replica.Message!.Contains("signal 9", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Start_AfterRestart_RestoresApplicationsAndTargets()
    {
        var folder = Directory.CreateTempSubdirectory("serve-test-").FullName;
        await using (var first = await ControllerTestFixture.StartAsync(folder))
        {
            first.KeepFolder = true;
            await first.DeployAsync("counter", "Counter@1", 1);
            await first.UntilAsync("counter", ApplicationStatus.Running);
            await first.Controller.ScaleAsync(new("counter", "Counter"), 3, CancellationToken.None);
            await first.UntilAsync("counter", ApplicationStatus.Running);
        }

        await using var second = await ControllerTestFixture.StartAsync(folder);
        await second.UntilAsync("counter", ApplicationStatus.Running);
        Assert.Equal(3, second.Running("counter").Length);
    }

    [Fact]
    public async Task UnloadThenLoad_ScaledModel_RestoresItsTargetAfterARestart()
    {
        var folder = Directory.CreateTempSubdirectory("serve-test-").FullName;
        var id = new DeploymentId("counter", "Counter");
        await using (var first = await ControllerTestFixture.StartAsync(folder))
        {
            first.KeepFolder = true;
            await first.DeployAsync("counter", "Counter@1", 1);
            await first.Controller.ScaleAsync(id, 3, CancellationToken.None);
            await first.Controller.UnloadAsync(id, CancellationToken.None);
            await first.Controller.UnloadAsync(id, CancellationToken.None);
            await first.UntilAsync(() => first.Agent.Actors.IsEmpty);
        }

        await using var second = await ControllerTestFixture.StartAsync(folder);
        Assert.Equal(0, second.Controller.GetDetails("counter")!.Deployments["Counter"].TargetNumReplicas);
        await second.Controller.LoadAsync(id, CancellationToken.None);
        await second.UntilAsync(() => second.Running("counter").Length == 3);
        await second.Controller.LoadAsync(id, CancellationToken.None);
        Assert.Equal(3, second.Controller.GetDetails("counter")!.Deployments["Counter"].TargetNumReplicas);
    }

    [Fact]
    public async Task Deploy_PathOfThisMachine_IsInNoCheckpointAndNoReplicaStart()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        node.Source.Packages["/home/user/Counter.cs"] = FakeApplicationSource.Package("abc", "Counter");
        await node.Controller.DeployAsync(new ApplicationConfig { Name = "counter", ImportPath = "/home/user/Counter.cs" }, CancellationToken.None);
        await node.UntilAsync("counter", ApplicationStatus.Running);

        Assert.Equal("package:abc", node.Controller.GetDetails("counter")!.DeployedAppConfig!.ImportPath);
        var stored = JsonSerializer.Serialize(Assert.Single(await node.Store.LoadAsync(default)), ServeJson.Options);
        var start = System.Text.Encoding.UTF8.GetString(Assert.Single(node.Agent.Actors.Values).Payload.Span);
        foreach (var path in (string[])["/home/user", "/packages", node.Folder])
        {
            Assert.DoesNotContain(path, stored, StringComparison.Ordinal);
            Assert.DoesNotContain(path, start, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Start_ReplicasOfAnEarlierControllerRun_AreAdopted()
    {
        var folder = Directory.CreateTempSubdirectory("serve-test-").FullName;
        FakeNodeAgent[] agents = [new("n1"), new("n2")];
        string[] before;
        SnapshotVersion published;
        await using (var first = await ControllerTestFixture.StartAsync(folder, null, agents))
        {
            first.KeepFolder = true;
            await first.DeployAsync("counter", "Counter@1", 4);
            await first.UntilAsync("counter", ApplicationStatus.Running);
            await first.DeployAsync("counter", "Counter@1", 4, options => options with { MaxOngoingRequests = 7 });
            await first.UntilAsync(() => agents.Sum(agent => agent.Settings.Count) == 4);
            await first.UntilAsync("counter", ApplicationStatus.Running);
            before = first.Running("counter");
            published = agents[0].Routes!.Version;
        }

        var calls = agents.Select(agent => agent.Calls.Count).ToArray();
        await using var second = await ControllerTestFixture.StartAsync(folder, null, agents);
        await second.UntilAsync("counter", ApplicationStatus.Running);
        await second.UntilAsync(() => agents.All(agent => agent.Routes!.Version.Epoch > published.Epoch));

        Assert.Equal(before, second.Running("counter"));
        Assert.All(agents.Zip(calls), pair => Assert.DoesNotContain(
            pair.First.Calls.Skip(pair.Second), call => call.StartsWith("create", StringComparison.Ordinal) || call.StartsWith("stop", StringComparison.Ordinal) || call.StartsWith("reconfigure", StringComparison.Ordinal)));
        Assert.All(agents, agent => Assert.Equal(4, agent.Routes!.Deployments.Single().Replicas.Length));
    }

    [Fact]
    public async Task Node_Returns_ItsSurplusReplicasAreStopped()
    {
        FakeNodeAgent[] agents = [new("n1"), new("n2")];
        await using var node = await ControllerTestFixture.StartAsync(null, null, agents);
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        await node.UntilAsync(() => agents[1].Actors.Count == 1);

        node.Nodes.Leave(new("n2"));
        await node.UntilAsync(() => agents[0].Actors.Count == 2);
        node.Nodes.Join(agents[1]);

        await node.UntilAsync(() => agents.Sum(agent => agent.Actors.Count) == 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
    }

    [Fact]
    public async Task Delete_RunningApplication_IsRemovedFromTheRoutesFirst()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var replicas = node.Running("counter");
        await node.Controller.DeleteAsync("counter", CancellationToken.None);
        await node.UntilAsync(() => node.Controller.GetDetails("counter") is null);
        var calls = node.Agent.Calls.ToList();
        var withdrawn = calls.FindLastIndex(call => call.StartsWith("published", StringComparison.Ordinal));
        Assert.All(replicas, id => Assert.True(calls.IndexOf($"stop {id}") > withdrawn));
        Assert.Empty(await node.Store.LoadAsync(default));
        Assert.Empty(node.Agent.Actors);
    }

    [Fact]
    public async Task Shutdown_DrainsEverythingAndKeepsTheStoredState()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var report = await node.Controller.ShutdownAsync(CancellationToken.None);
        Assert.Empty(node.Agent.Actors);
        Assert.Equal(2, report.Replicas.Count);
        Assert.Equal("counter", Assert.Single(await node.Store.LoadAsync(default)).Name);
        await Assert.ThrowsAsync<NodeConflictException>(() => node.DeployAsync("other", "Other@1"));
    }

    [Fact]
    public async Task Deploy_ThreeNodes_SpreadsReplicasAndPublishesRoutesToAll()
    {
        await using var node = await ControllerTestFixture.StartAsync(null, null, new("n1"), new("n2"), new("n3"));
        await node.DeployAsync("counter", "Counter@1", 3);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        Assert.All(node.Agents, agent => Assert.Single(agent.Actors));
        await node.UntilAsync(() => node.Agents.All(agent => agent.Routes?.Deployments.SingleOrDefault()?.Replicas.Length == 3));
        Assert.Equal(["n1", "n2", "n3"], node.Controller.GetDetails("counter")!.Deployments["Counter"].Replicas.Select(replica => replica.NodeId).Order());
        Assert.Equal(["n1", "n2", "n3"], node.Controller.GetNodes().Nodes.Select(details => details.NodeId));
    }

    [Fact]
    public async Task Leave_NodeWithReplicas_AreReplacedOnTheOthers()
    {
        await using var node = await ControllerTestFixture.StartAsync(null, null, new("n1"), new("n2"), new("n3"));
        await node.DeployAsync("counter", "Counter@1", 3);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        node.Nodes.Leave(new("n2"));
        await node.UntilAsync(() => node.Agents[0].Actors.Count + node.Agents[2].Actors.Count == 3 && node.Running("counter").Length == 3);
        Assert.DoesNotContain("n2", node.Controller.GetDetails("counter")!.Deployments["Counter"].Replicas.Select(replica => replica.NodeId));
    }

    [Fact]
    public async Task Join_NewNode_ReceivesTheRoutesAndTheNextReplicas()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1", 2);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        var joined = new FakeNodeAgent("n2");
        node.Nodes.Join(joined);
        await node.UntilAsync(() => joined.Routes?.Deployments.SingleOrDefault()?.Replicas.Length == 2);
        await node.Controller.ScaleAsync(new("counter", "Counter"), 4, CancellationToken.None);
        await node.UntilAsync(() => joined.Actors.Count == 2 && node.Running("counter").Length == 4);
    }

    [Fact]
    public async Task Publish_OneNodeDoesNotRespond_TheOthersReceiveTheRoutes()
    {
        await using var node = await ControllerTestFixture.StartAsync(null, null, new("n1"), new("n2"));
        node.Agents[1].OnPublish = _ => new TaskCompletionSource().Task;
        await node.DeployAsync("counter", "Counter@1", 1);
        await node.UntilAsync(() => node.Agents[0].Calls.Any(call => call.StartsWith("published", StringComparison.Ordinal) && call.EndsWith(node.Running("counter").SingleOrDefault() ?? "none", StringComparison.Ordinal)));
    }
}
