using Serve.Workflows.Storage;

namespace Serve.Workflows.Tests;

/// <summary>Wrong and extreme inputs: each has a message, and none harms a workflow.</summary>
public sealed class BadInputTests
{
    [Fact]
    public async Task EveryVerb_UnknownId_SaysSo()
    {
        await using var fixture = await WorkflowFixture.Start();
        var host = fixture.Host;
        Func<Task>[] verbs =
        [
            () => host.GetOutput<int>("no"), () => host.GetOutput<int>("no", "step"), () => Task.FromResult(host.GetStatus("no")), () => Task.FromResult(host.GetMetadata("no")), () => Task.FromResult(host.GetHistory("no")),
            () => Task.FromResult(host.GetStep("no", "x")), () => Task.FromResult(host.GetHandle("no")), () => host.SendEvent("no", "x", 1), () => host.Signal("no", "x", []), () => host.Query("no", "x"), () => host.Cancel("no"),
            () => host.Resume("no"), () => host.Delete("no"),
        ];

        foreach (var verb in verbs)
        {
            var failure = await Assert.ThrowsAsync<WorkflowNotFoundException>(async () => await verb());
            Assert.Equal("There is no workflow with id 'no'.", failure.Message);
        }
    }

    [Theory]
    [InlineData("", "must have 1 to 200 characters, but had 0")]
    [InlineData("a/b", "but 'a/b' contains '/'")]
    [InlineData("a..b", "must not contain '..', but was 'a..b'")]
    [InlineData("a b", "but 'a b' contains ' '")]
    [InlineData("ä", "but 'ä' contains 'ä'")]
    public async Task Start_InvalidId_IsRefused(string id, string expected)
    {
        await using var fixture = await WorkflowFixture.Start();

        var failure = await Assert.ThrowsAsync<ArgumentException>(() => fixture.Host.Chain.Start(1, new() { Id = id }));
        var long1000 = await Assert.ThrowsAsync<ArgumentException>(() => fixture.Host.Chain.Start(1, new() { Id = new('x', 1000) }));

        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Contains("but had 1000", long1000.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_SameId_AttachesOrExplains()
    {
        await using var fixture = await WorkflowFixture.Start();
        var host = fixture.Host;
        await host.Gated.Start("same-gate", new() { Id = "same-id" });

        var attached = await host.Gated.Start("same-gate", new() { Id = "same-id" });
        var otherInput = await Assert.ThrowsAsync<WorkflowExistsException>(() => host.Gated.Start("other", new() { Id = "same-id" }));
        var otherClass = await Assert.ThrowsAsync<WorkflowExistsException>(() => host.Chain.Start(1, new() { Id = "same-id" }));
        Gates.Open("same-gate");

        Assert.Equal(42, await attached.GetResult().SoonAsync());
        Assert.Equal(42, await host.Gated.Run("any input now", new() { Id = "same-id" }).SoonAsync());
        Assert.Equal(3, Effects.Of("same-id").Length);
        Assert.Equal("Workflow 'same-id' is open and was started with another input. Choose another id.", otherInput.Message);
        Assert.Equal("Workflow 'same-id' exists and is a 'Gated', not a 'Chain'. Choose another id.", otherClass.Message);
    }

    [Fact]
    public async Task Verbs_WrongStatus_AreRefused()
    {
        await using var fixture = await WorkflowFixture.Start();
        var host = fixture.Host;
        var handle = await host.SumOfEvents.Start(1, new() { Id = "open" });

        var delete = await Assert.ThrowsAsync<WorkflowStatusException>(() => host.Delete("open"));
        var resume = await Assert.ThrowsAsync<WorkflowStatusException>(() => host.Resume("open"));
        await handle.SendEvent("number", 1);
        await handle.GetResult().SoonAsync();
        var ended = await Assert.ThrowsAsync<WorkflowStatusException>(() => host.Resume("open"));
        var send = await Assert.ThrowsAsync<WorkflowStatusException>(() => handle.SendEvent("number", 1));
        var cancel = await Assert.ThrowsAsync<WorkflowStatusException>(() => handle.Cancel());
        await host.Delete("open");

        Assert.Equal("Workflow 'open' cannot be deleted, because it is open. Cancel it first.", delete.Message);
        Assert.Equal("Workflow 'open' cannot be resumed, because it is running. Interrupted workflows resume by themselves.", resume.Message);
        Assert.Equal("Workflow 'open' cannot be resumed, because it has ended successfully.", ended.Message);
        Assert.Equal("Workflow 'open' has ended and accepts no events, signals or cancellation.", send.Message);
        Assert.Equal(send.Message, cancel.Message);
        Assert.Throws<WorkflowNotFoundException>(() => host.GetStatus("open"));
    }

    [Fact]
    public async Task Events_EarlyTwiceWrongTypeAndBurst_AreEachReadOnce()
    {
        await using var fixture = await WorkflowFixture.Start(new() { MaxHistory = 100_000 });
        var handle = await fixture.Host.SumOfEvents.Start(10_001, new() { Id = "events" });
        await Eventually.TrueAsync(() => handle.Query(_ => true));

        var wrong = await Assert.ThrowsAsync<ArgumentException>(() => handle.SendEvent("number", "text"));
        await Assert.ThrowsAsync<ArgumentException>(() => fixture.Host.SendEventJson("events", "number", "{ no json"));
        await handle.SendEvent("number", 7, idempotencyKey: "a");
        Assert.False(await fixture.Host.SendEventJson("events", "number", "7", "a"));
        await Task.WhenAll(Enumerable.Range(0, 10_000).Select(_ => handle.SendEvent("number", 1)));

        Assert.Equal(10_007, await handle.GetResult().SoonAsync());
        Assert.StartsWith("Event 'number' must be of type Int32", wrong.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Signals_UnknownNameOrWrongArguments_AreRefusedAtTheCall()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Doorman.Start(1, new() { Id = "guarded" });

        var unknown = await Assert.ThrowsAsync<WorkflowNotFoundException>(() => fixture.Host.Signal("guarded", "Leave", ["ann"]));
        var query = await Assert.ThrowsAsync<WorkflowNotFoundException>(() => fixture.Host.Query("guarded", "Guests"));
        var count = await Assert.ThrowsAsync<ArgumentException>(() => fixture.Host.Signal("guarded", "Enter", []));
        var type = await Assert.ThrowsAsync<ArgumentException>(() => fixture.Host.Signal("guarded", "Enter", [5]));
        await fixture.Host.Signal("guarded", "Enter", ["ann"]);

        Assert.Equal("True ann", await handle.GetResult().SoonAsync());
        Assert.Equal("Workflow 'Doorman' has no signal 'Leave'. It has: Enter.", unknown.Message);
        Assert.Equal("Workflow 'Doorman' has no query 'Guests'. It has: Count.", query.Message);
        Assert.Equal("Signal 'Enter' takes 1 argument(s), but 0 were passed.", count.Message);
        Assert.Equal("Argument 1 of Signal 'Enter' must be of type String, but was Int32.", type.Message);
    }

    [Fact]
    public async Task Start_WrongOrUnstorableArguments_FailAtTheCall()
    {
        await using var fixture = await WorkflowFixture.Start(new() { MaxInlinePayload = 100, MaxPayloadBytes = 1000 });

        var unknown = await Assert.ThrowsAsync<WorkflowNotFoundException>(() => fixture.Host.Start("Nothing", null));
        var count = await Assert.ThrowsAsync<ArgumentException>(() => fixture.Host.Start("Chain", null));
        var type = await Assert.ThrowsAsync<ArgumentException>(() => fixture.Host.Start("Chain", null, "one"));
        var large = await Assert.ThrowsAsync<WorkflowLimitException>(() => fixture.Host.Gated.Start(new('x', 2000)));
        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.LargeResults.Run(2000).SoonAsync());

        Assert.StartsWith("This program has no workflow 'Nothing'.", unknown.Message, StringComparison.Ordinal);
        Assert.Equal("Workflow 'Chain' takes 1 argument(s), but 0 were passed.", count.Message);
        Assert.Equal("Argument 1 of Workflow 'Chain' must be of type Int32, but was String.", type.Message);
        Assert.Contains("must be at most 1,000 bytes as JSON, but was 2,004", large.Message, StringComparison.Ordinal);
        Assert.Equal(typeof(WorkflowLimitException).FullName, failure.Error.Type);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1000)]
    public async Task Sleep_ZeroOrNegative_ReturnsAtOnce(double seconds)
    {
        await using var fixture = await WorkflowFixture.Start();

        Assert.Equal("slept", await fixture.Host.Sleeper.Run(seconds).SoonAsync());
    }

    [Fact]
    public async Task Sleep_FortyYears_IsOneRowAndCanBeCanceled()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Sleeper.Start(40 * 365.25 * 86_400);
        await Eventually.TrueAsync(() => fixture.Host.Engine.Store.ReadTimers(handle.Id).Count == 1);

        await fixture.Restart();
        await fixture.Host.Cancel(handle.Id);

        await Assert.ThrowsAsync<WorkflowCanceledException>(() => fixture.Host.GetOutput<string>(handle.Id).SoonAsync());
        Assert.Empty(fixture.Host.Engine.Store.ReadTimers(handle.Id));
    }

    [Fact]
    public async Task Cancel_DuringRetryWait_EndsTheWorkflow()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Patient.Start(new() { Id = "patient" });
        await Eventually.TrueAsync(() => fixture.Host.Engine.Store.ReadTimers("patient").Any(timer => timer.IsRetry && timer.Attempt == 1));

        await handle.Cancel("enough");

        await Assert.ThrowsAsync<WorkflowCanceledException>(() => handle.GetResult().SoonAsync());
    }

    [Fact]
    public async Task Cancel_CodeKeepsWaiting_IsEndedAfterTheGracePeriod()
    {
        await using var fixture = await WorkflowFixture.Start(new() { CancelGrace = TimeSpan.FromMilliseconds(20) });
        var handle = await fixture.Host.Stubborn.Start();
        await Eventually.TrueAsync(() => handle.Query(_ => true));

        await handle.Cancel("now");

        Assert.Equal($"Workflow '{handle.Id}' was canceled: now", (await Assert.ThrowsAsync<WorkflowCanceledException>(() => handle.GetResult().SoonAsync())).Message);
    }

    [Fact]
    public async Task Steps_TenThousandInParallel_AllComplete()
    {
        await using var fixture = await WorkflowFixture.Start();

        Assert.Equal(10_000, await fixture.Host.Wide.Run(10_000).SoonAsync());
    }

    [Fact]
    public async Task History_AboveLimit_FailsWithTheRemedyAndWarnsBefore()
    {
        await using var fixture = await WorkflowFixture.Start(new() { MaxHistory = 50 });

        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.Chain.Run(100, new() { Id = "long" }).SoonAsync());

        Assert.Contains("has 50 entries, the maximum of a run. Throw ctx.ContinueAsNew(…) earlier", failure.Message, StringComparison.Ordinal);
        Assert.Contains("The history of workflow 'long' has 10 entries; at 50 it fails. It should continue as new", fixture.Logs.Messages);
    }

    [Fact]
    public async Task Dispose_ClusterFirst_LeavesWorkflowsOpen()
    {
        await using var fixture = await WorkflowFixture.Start();
        await fixture.Host.Gated.Start("dispose-gate", new() { Id = "dispose" });
        await Eventually.TrueAsync(() => Effects.Of("dispose").Contains("Wait started"));

        await fixture.Cluster.DisposeAsync();
        await fixture.Host.DisposeAsync();

        await using var store = new SqliteWorkflowStore(fixture.Database);
        store.Open();
        Assert.Equal(WorkflowStatus.Running, store.Find("dispose")!.Status);
        Assert.Equal(["Add"], store.ReadHistory("dispose").Select(row => row.Name));
    }

    [Fact]
    public async Task Workflows_WithoutHost_SaysWhatToCall()
    {
        await using var cluster = await Cluster.Init(new() { Observable = false });

        Assert.Contains("Call cluster.StartWorkflows(…) first.", Assert.Throws<InvalidOperationException>(() => cluster.Workflows).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task List_ByStatusAndMetadata_ReturnsMatchingWorkflows()
    {
        await using var fixture = await WorkflowFixture.Start();
        await fixture.Host.Chain.Run(1, new() { Id = "a", Metadata = { ["user"] = "ann" } }).SoonAsync();
        await fixture.Host.Chain.Run(1, new() { Id = "b", Metadata = { ["user"] = "bob" } }).SoonAsync();
        await fixture.Host.SumOfEvents.Start(1, new() { Id = "c", Metadata = { ["user"] = "ann" } });

        Assert.Equal(["a", "b", "c"], await Ids(fixture.Host.List()));
        Assert.Equal(["a", "b"], await Ids(fixture.Host.List(WorkflowStatus.Successful)));
        Assert.Equal(["c"], await Ids(fixture.Host.List(WorkflowStatus.Running, new Dictionary<string, string> { ["user"] = "ann" })));

        static async Task<List<string>> Ids(IAsyncEnumerable<WorkflowInfo> workflows)
        {
            List<string> ids = [];
            await foreach (var workflow in workflows)
                ids.Add(workflow.Id);
            return ids;
        }
    }
}
