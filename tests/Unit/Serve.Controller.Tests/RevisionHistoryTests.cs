using Serve.Admin;
using Serve.Controller.Applications;
using Serve.Nodes;

namespace Serve.Controller.Tests;

public sealed class RevisionHistoryTests
{
    [Fact]
    public async Task RollBack_RunningRevision_DeploysThePreviousOneAgain()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.Controller.DeployAsync(ControllerTestFixture.Config("counter", "Counter@1", 2) with { Note = "first" }, CancellationToken.None);
        await node.UntilAsync("counter", ApplicationStatus.Running);
        await node.DeployAsync("counter", "Counter@2", 3);
        await node.UntilAsync(() => IsRunning(node, "Counter@2", 3), runClock: true);

        Assert.True(await node.Controller.RollBackAsync("counter", null, CancellationToken.None));
        await node.UntilAsync(() => IsRunning(node, "Counter@1", 2), runClock: true);
        Assert.Equal(
            [(3, "Counter@1", "rollback to revision 1"), (2, "Counter@2", null), (1, "Counter@1", "first")],
            node.Controller.GetRevisions("counter")!.Revisions.Select(revision => (revision.Revision, revision.CodeHash, revision.Note)));
        Assert.Equal([true, false, false], node.Controller.GetRevisions("counter")!.Revisions.Select(revision => revision.IsCurrent));

        Assert.True(await node.Controller.RollBackAsync("counter", 2, CancellationToken.None));
        await node.UntilAsync(() => IsRunning(node, "Counter@2", 3), runClock: true);
    }

    [Fact]
    public async Task RollBack_RevisionThatNeverRan_RequestsTheRunningOneAgain()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1");
        await node.UntilAsync("counter", ApplicationStatus.Running);
        node.Agent.OnCreate = start => start.PackageHash == "Counter@2" ? throw new ActorCreationException(new(start.ReplicaId), "broken") : Task.CompletedTask;
        await node.DeployAsync("counter", "Counter@2");
        await node.UntilAsync("counter", ApplicationStatus.DeployFailed, runClock: true);
        await node.DeployAsync("counter", "Counter@2", 2);
        await node.UntilAsync("counter", ApplicationStatus.DeployFailed, runClock: true);

        await node.Controller.RollBackAsync("counter", null, CancellationToken.None);
        await node.UntilAsync(() => IsRunning(node, "Counter@1", 1), runClock: true);
        Assert.Equal("rollback to revision 1", node.Controller.GetRevisions("counter")!.Revisions[0].Note);
    }

    [Fact]
    public async Task Packages_OfKeptRevisions_AreUsedUntilTheRevisionIsDropped()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        for (var number = 1; number <= 12; number++)
            await node.DeployAsync("counter", $"Counter@{number}");
        await node.UntilAsync(() => IsRunning(node, "Counter@12", 1), runClock: true);
        node.Clock.Advance(TimeSpan.FromMinutes(6));
        await node.UntilAsync(() => node.Source.Used is not null);
        Assert.Equal(Enumerable.Range(2, 11).Select(number => $"Counter@{number}").Order(), node.Source.Used!.Order());
    }

    [Fact]
    public async Task Packages_ReplicaOfADroppedRevision_NoneIsDeleted()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@0");
        await node.UntilAsync("counter", ApplicationStatus.Running);
        node.Agent.OnStop = _ => Task.Delay(Timeout.Infinite);
        for (var number = 1; number <= 12; number++)
            await node.DeployAsync("counter", $"Counter@{number}");
        await node.UntilAsync(() => node.Controller.GetDetails("counter") is { Status: ApplicationStatus.Running, CodeHash: "Counter@12" }, runClock: true);
        node.Clock.Advance(TimeSpan.FromMinutes(6));
        Assert.Null(node.Source.Used);
    }

    [Fact]
    public async Task RollBack_AfterARestart_UsesTheStoredHistory()
    {
        var folder = Directory.CreateTempSubdirectory("serve-test-").FullName;
        await using (var first = await ControllerTestFixture.StartAsync(folder))
        {
            first.KeepFolder = true;
            await first.DeployAsync("counter", "Counter@1");
            await first.DeployAsync("counter", "Counter@2");
        }

        await using var second = await ControllerTestFixture.StartAsync(folder);
        await second.Controller.RollBackAsync("counter", 1, CancellationToken.None);
        await second.UntilAsync(() => IsRunning(second, "Counter@1", 1), runClock: true);
    }

    [Fact]
    public async Task History_ManyRevisions_IsBoundedAndADroppedRevisionIsAnError()
    {
        await using var node = await ControllerTestFixture.StartAsync();
        await node.DeployAsync("counter", "Counter@1");
        Assert.Equal("Application 'counter' has no earlier revision.", (await RollBackFailsAsync<DefinitionException>(null)).Message);
        for (var code = 2; code <= 14; code++)
            await node.DeployAsync("counter", $"Counter@{code}");
        await node.DeployAsync("counter", "Counter@14");

        Assert.Equal(Enumerable.Range(4, 11).Reverse().Select(number => (long)number), node.Controller.GetRevisions("counter")!.Revisions.Select(revision => revision.Revision));
        Assert.Contains("has no revision 2. Kept revisions: 4, 5,", (await RollBackFailsAsync<DefinitionException>(2)).Message);
        Assert.Contains("is the current one", (await RollBackFailsAsync<DefinitionException>(14)).Message);
        await Assert.ThrowsAsync<ApplicationNotFoundException>(() => node.Controller.RollBackAsync("nope", null, CancellationToken.None));
        Assert.Null(node.Controller.GetRevisions("nope"));

        Task<TError> RollBackFailsAsync<TError>(long? revision)
            where TError : Exception => Assert.ThrowsAsync<TError>(() => node.Controller.RollBackAsync("counter", revision, CancellationToken.None));
    }

    private static bool IsRunning(ControllerTestFixture node, string code, int replicas) =>
        node.Controller.GetDetails("counter") is { Status: ApplicationStatus.Running } details && details.CodeHash == code
        && node.Running("counter").Length == replicas && node.Agent.Actors.Count == replicas;
}
