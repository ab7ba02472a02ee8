using Serve.Workflows.Definitions;

namespace Serve.Workflows.Tests;

/// <summary>Open workflows whose code changes between two starts of the host.</summary>
public sealed class ChangedCodeTests
{
    [Fact]
    public async Task Replay_RenamedStep_IsBlockedWithBothNamesAndContinuesAfterTheFix()
    {
        await using var fixture = await WorkflowFixture.Start();
        Define("Renamed", 1, async ctx => await Booked(ctx, "BookHotel") + await ctx.WaitForEvent<int>("go"));
        await StartUntilLogged(fixture, "Renamed", 1);

        Define("Renamed", 1, async ctx => await Booked(ctx, "Charge") + await ctx.WaitForEvent<int>("go"));
        await fixture.Restart();
        var failure = await Assert.ThrowsAsync<WorkflowBlockedException>(() => fixture.Host.GetOutput<int>("Renamed").SoonAsync());

        Assert.Contains("Step 1 was 'BookHotel' in the log, but is now step 'Charge'.", failure.Message, StringComparison.Ordinal);
        Define("Renamed", 1, async ctx => await Booked(ctx, "BookHotel") + await ctx.WaitForEvent<int>("go"));
        await fixture.Host.SendEvent("Renamed", "go", 2);
        await fixture.Host.Resume("Renamed");
        Assert.Equal(3, await fixture.Host.GetOutput<int>("Renamed").SoonAsync());
    }

    [Fact]
    public async Task Replay_RemovedStep_IsBlocked()
    {
        await using var fixture = await WorkflowFixture.Start();
        Define("Removed", 1, async ctx => await Booked(ctx, "A") + await Booked(ctx, "B") + await ctx.WaitForEvent<int>("go"));
        await StartUntilLogged(fixture, "Removed", 2);

        Define("Removed", 1, ctx => Booked(ctx, "A"));
        await fixture.Restart();
        var failure = await Assert.ThrowsAsync<WorkflowBlockedException>(() => fixture.Host.GetOutput<int>("Removed").SoonAsync());

        Assert.Contains("Step 2 was 'B' in the log, but the code has ended before it.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SwappedSteps_IsBlocked()
    {
        await using var fixture = await WorkflowFixture.Start();
        Define("Swapped", 1, async ctx => await Booked(ctx, "A") + await Booked(ctx, "B") + await ctx.WaitForEvent<int>("go"));
        await StartUntilLogged(fixture, "Swapped", 2);

        Define("Swapped", 1, async ctx => await Booked(ctx, "B") + await Booked(ctx, "A") + await ctx.WaitForEvent<int>("go"));
        await fixture.Restart();
        var failure = await Assert.ThrowsAsync<WorkflowBlockedException>(() => fixture.Host.GetOutput<int>("Swapped").SoonAsync());

        Assert.Contains("Step 1 was 'A' in the log, but is now step 'B'.", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_OtherResultType_IsBlocked()
    {
        await using var fixture = await WorkflowFixture.Start();
        Define("Retyped", 1, async ctx => (await ctx.Step("A", (_, _) => Task.FromResult("text"))).Length + await ctx.WaitForEvent<int>("go"));
        await StartUntilLogged(fixture, "Retyped", 1);

        Define("Retyped", 1, async ctx => await Booked(ctx, "A") + await ctx.WaitForEvent<int>("go"));
        await fixture.Restart();
        var failure = await Assert.ThrowsAsync<WorkflowBlockedException>(() => fixture.Host.GetOutput<int>("Retyped").SoonAsync());

        Assert.Contains("The logged result of step 'A' does not fit its type any more", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ClassIsGone_IsBlockedAndResumesWhenItIsBack()
    {
        await using var fixture = await WorkflowFixture.Start();
        Define("Gone", 1, async ctx => await Booked(ctx, "A") + await ctx.WaitForEvent<int>("go"));
        await StartUntilLogged(fixture, "Gone", 1);

        WorkflowRegistry.Remove("Gone", 1);
        await fixture.Restart();
        var failure = await Assert.ThrowsAsync<WorkflowBlockedException>(() => fixture.Host.GetOutput<int>("Gone").SoonAsync());
        Define("Gone", 1, async ctx => await Booked(ctx, "A") + await ctx.WaitForEvent<int>("go"));
        await fixture.Host.SendEvent("Gone", "go", 1);
        Assert.Equal(["Gone"], await fixture.Host.ResumeAll());

        Assert.Contains("Workflow 'Gone' version 1 is not part of this program.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(2, await fixture.Host.GetOutput<int>("Gone").SoonAsync());
    }

    [Fact]
    public async Task Patched_OpenWorkflowTakesTheOldPathAndNewOnesTheNewPath()
    {
        await using var fixture = await WorkflowFixture.Start();
        Define("Patched", 1, async ctx => await Booked(ctx, "A") + await ctx.WaitForEvent<int>("go") + await Booked(ctx, "old"));
        await StartUntilLogged(fixture, "Patched", 1);
        await fixture.Host.DisposeAsync();
        Define("Patched", 1, async ctx =>
        {
            var first = ctx.Patched("insure") ? await Booked(ctx, "insure") : 0;
            return first + await Booked(ctx, "A") + await ctx.WaitForEvent<int>("go") + await Booked(ctx, first == 0 ? "old" : "new");
        });
        await fixture.StartHost();

        await fixture.Host.Start("Patched", new() { Id = "patched-new" });
        await Eventually.TrueAsync(() => fixture.Host.GetHistory("patched-new").Count == 3);
        await fixture.Restart();
        foreach (var id in new[] { "Patched", "patched-new" })
            await fixture.Host.SendEvent(id, "go", 0);

        Assert.Equal(2, await fixture.Host.GetOutput<int>("Patched").SoonAsync());
        Assert.Equal(3, await fixture.Host.GetOutput<int>("patched-new").SoonAsync());
        Assert.Equal(["A", "go", "old"], fixture.Host.GetHistory("Patched").Select(entry => entry.Name));
        Assert.Equal(["insure", "insure", "A", "go", "new"], fixture.Host.GetHistory("patched-new").Select(entry => entry.Name));
    }

    [Fact]
    public async Task Versions_OpenWorkflowKeepsItsOwnAndNewOnesTakeTheNewest()
    {
        await using var fixture = await WorkflowFixture.Start();
        Define("Versioned", 1, async ctx => 10 + await ctx.WaitForEvent<int>("go"));
        await fixture.Host.Start("Versioned", new() { Id = "Versioned" });

        Define("Versioned", 2, async ctx => 20 + await ctx.WaitForEvent<int>("go"));
        await fixture.Restart();
        await fixture.Host.Start("Versioned", new() { Id = "versioned-new" });
        foreach (var id in new[] { "Versioned", "versioned-new" })
            await fixture.Host.SendEvent(id, "go", fixture.Host.GetMetadata(id).Version);

        Assert.Equal(11, await fixture.Host.GetOutput<int>("Versioned").SoonAsync());
        Assert.Equal(22, await fixture.Host.GetOutput<int>("versioned-new").SoonAsync());
    }

    [Fact]
    public async Task Resume_FailedWorkflow_RepeatsOnlyTheFailedStep()
    {
        await using var fixture = await WorkflowFixture.Start();
        var isBroken = true;
        Define("Repaired", 1, async ctx => await Booked(ctx, "A") + await ctx.Step("B", (_, _) => isBroken ? throw new IOException("down") : Task.FromResult(5)));
        await fixture.Host.Start("Repaired", new() { Id = "Repaired" });
        await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.GetOutput<int>("Repaired").SoonAsync());

        isBroken = false;
        Assert.Empty(await fixture.Host.ResumeAll());
        Assert.Contains("Repaired", await fixture.Host.ResumeAll(includeFailed: true));

        Assert.Equal(6, await fixture.Host.GetOutput<int>("Repaired").SoonAsync());
        Assert.Equal(["A"], Effects.Of("Repaired"));
    }

    /// <summary>Defines a workflow as if its class had been compiled with this code.</summary>
    private static void Define(string name, int version, Func<WorkflowContext, Task<int>> run)
    {
        WorkflowRegistry.Remove(name, version);
        WorkflowRegistry.Add(new WorkflowDefinition(typeof(ChangedCodeTests), name, version, [], typeof(int), () => name, async (_, context, _) => await run(context)));
    }

    private static Task<int> Booked(WorkflowContext context, string step) => context.Step(step, (running, _) =>
    {
        Effects.Add(running.WorkflowId, running.Step);
        return Task.FromResult(1);
    });

    private static async Task StartUntilLogged(WorkflowFixture fixture, string name, int rows)
    {
        await fixture.Host.Start(name, new() { Id = name });
        await Eventually.TrueAsync(() => fixture.Host.GetHistory(name).Count == rows);
    }
}
