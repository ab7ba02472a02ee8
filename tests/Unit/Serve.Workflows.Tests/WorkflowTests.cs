using Serve.Workflows.Storage;

namespace Serve.Workflows.Tests;

/// <summary>Workflow code: steps, events, signals, queries, children, cancellation, and the same after a restart.</summary>
public sealed class WorkflowTests
{
    [Fact]
    public async Task Run_TripWithRetriesEventAndSignals_ReturnsResultAndLogsEachStepOnce()
    {
        await using var fixture = await WorkflowFixture.Start();

        var handle = await fixture.Cluster.Workflows.BookTrip.Start(new("BER", "LIS"), new() { Id = "trip-1", Metadata = { ["user"] = "ann" } });
        await handle.Signal(trip => trip.AddBag(12));
        await handle.Signal(trip => trip.AddBag(30));
        Assert.Equal(42, await handle.Query(trip => trip.Bags()).SoonAsync());
        await handle.SendEvent("approve", new Approval(true, ""));
        var receipt = await handle.GetResult().SoonAsync();

        Assert.Equal(["trip-1/1/1", "trip-1/1/2"], receipt.Flights);
        Assert.Equal("hotel in LIS", receipt.Hotel);
        Assert.Equal(42, receipt.Bags);
        Assert.Equal(
            ["BookFlight BER-LIS", "BookFlight_1 LIS-BER", "hotel attempt 1", "hotel attempt 2", "hotel attempt 3"], Effects.Of("trip-1").Order());
        Assert.Equal(WorkflowStatus.Successful, handle.GetStatus());
        Assert.Equal("trip-1/1/2", (await handle.GetOutput<Flight>("BookFlight_1")).Key);
        Assert.Equal(3, fixture.Host.GetStep("trip-1", "BookHotel").Attempts);
        Assert.Equal("ann", handle.GetMetadata().Metadata["user"]);
        Assert.Equal(42, await handle.Query(trip => trip.Bags()).SoonAsync());
        Assert.Equal("42", await fixture.Host.Query("trip-1", "Bags").SoonAsync());
    }

    [Fact]
    public async Task Run_CodeFails_CompensatesAndReportsOriginalError()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.BookTrip.Start(new("BER", "LIS"), new() { Id = "declined" });

        await handle.SendEvent("approve", new Approval(false, "too expensive"));
        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => handle.GetResult().SoonAsync());

        Assert.Equal("System.InvalidOperationException", failure.Error.Type);
        Assert.Equal("Workflow 'declined' failed: too expensive", failure.Message);
        Assert.Equal(["cancel declined/1/1", "cancel declined/1/2"], Effects.Of("declined")[^2..]);
        Assert.Equal(WorkflowStatus.Failed, handle.GetStatus());
    }

    [Fact]
    public async Task Restart_HostStoppedInStep_ResumesByItselfAndRepeatsOnlyThisStep()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Gated.Start("restart-gate", new() { Id = "restart" });
        await Eventually.TrueAsync(() => Effects.Of("restart").Contains("Wait started"));

        await fixture.Restart();
        await Eventually.TrueAsync(() => Effects.Of("restart").Count(effect => effect == "Wait started") == 2);
        Gates.Open("restart-gate");

        Assert.Equal(42, await fixture.Host.GetOutput<int>("restart").SoonAsync());
        Assert.Equal(["Add 1+1", "Wait started", "Wait started", "Add_1 2+40"], Effects.Of("restart"));
    }

    [Fact]
    public async Task Restart_WaitingWorkflow_KeepsSignalsEventsAndDeterministicValues()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Deterministic.Start(new() { Id = "same" });
        await Eventually.TrueAsync(() => handle.Query(_ => true));

        await fixture.Restart();
        await fixture.Restart();
        await fixture.Host.SendEvent("same", "go", 1);
        var result = await fixture.Host.GetOutput<string>("same").SoonAsync();

        Assert.StartsWith(Effects.Of("same").Single(), result, StringComparison.Ordinal);
        var parts = result.Split(' ');
        Assert.NotEqual(parts[0], parts[3]);
        Assert.NotEqual(parts[1], parts[4]);
    }

    [Theory]
    [InlineData("delay")]
    [InlineData("delay beside an event")]
    [InlineData("run")]
    [InlineData("no context")]
    public async Task Run_ForeignAwait_IsBlockedWithTheRuleInsteadOfHanging(string kind)
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.ForeignAwait.Start(kind);

        var failure = await Assert.ThrowsAsync<WorkflowBlockedException>(() => handle.GetResult().SoonAsync());

        Assert.Contains("awaited a task that is not from its context", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Use ctx.Sleep for delays", failure.Message, StringComparison.Ordinal);
        Assert.Equal(typeof(NonDeterministicWorkflowException).FullName, failure.Reason.Type);
        Assert.Equal(WorkflowStatus.Blocked, handle.GetStatus());
    }

    [Fact]
    public async Task Cancel_DuringStep_CancelsTokenAndCompensates()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.BookTrip.Start(new("BER", "LIS"), new() { Id = "canceled" });
        await Eventually.TrueAsync(() => Effects.Of("canceled").Contains("hotel attempt 3"));

        await handle.Cancel("customer asked");
        var failure = await Assert.ThrowsAsync<WorkflowCanceledException>(() => handle.GetResult().SoonAsync());

        Assert.Equal("Workflow 'canceled' was canceled: customer asked", failure.Message);
        Assert.Equal(["cancel canceled/1/1", "cancel canceled/1/2"], Effects.Of("canceled")[^2..]);
        Assert.Equal(WorkflowStatus.Canceled, handle.GetStatus());
    }

    [Fact]
    public async Task Cancel_RunningStepAndChild_AreCanceledToo()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Parent.Start("never-opened", new() { Id = "cancel-parent" });
        await Eventually.TrueAsync(() => Effects.Of("cancel-parent:2").Contains("Wait started"));
        await fixture.Host.GetOutput<int>("cancel-parent:1").SoonAsync();

        await handle.Cancel();
        await Assert.ThrowsAsync<WorkflowCanceledException>(() => handle.GetResult().SoonAsync());

        await Assert.ThrowsAsync<WorkflowCanceledException>(() => fixture.Host.GetOutput<int>("cancel-parent:2").SoonAsync());
        Assert.Equal(WorkflowStatus.Successful, fixture.Host.GetStatus("cancel-parent:1"));
    }

    [Fact]
    public async Task Children_HaveOwnHistoryAndSurviveRestart()
    {
        await using var fixture = await WorkflowFixture.Start();
        await fixture.Host.Parent.Start("child-gate", new() { Id = "family" });
        await Eventually.TrueAsync(() => Effects.Of("family:2").Contains("Wait started"));

        await fixture.Restart();
        Gates.Open("child-gate");

        Assert.Equal(44, await fixture.Host.GetOutput<int>("family").SoonAsync());
        Assert.Equal("family", fixture.Host.GetMetadata("family:1").Parent);
        Assert.Equal(["Add 0+1", "Add_1 1+1"], Effects.Of("family:1"));
    }

    [Fact]
    public async Task Child_Fails_ParentReceivesStepException()
    {
        await using var fixture = await WorkflowFixture.Start();

        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.Parent.Run("fail", new() { Id = "failing" }).SoonAsync());

        Assert.Equal("Workflow 'failing' failed: the child is broken", failure.Message);
        Assert.Equal("System.IO.InvalidDataException", failure.Error.Type);
    }

    [Fact]
    public async Task Child_WithOwnIdOfParent_FailsInsteadOfWaitingForItself()
    {
        await using var fixture = await WorkflowFixture.Start();

        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.Parent.Run("self", new() { Id = "ouroboros" }).SoonAsync());

        Assert.Contains("'ouroboros' cannot start itself as a child", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recursion_WithoutEnd_FailsWithTheId()
    {
        await using var fixture = await WorkflowFixture.Start(new() { MaxDepth = 20 });

        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.Endless.Run(0, new() { Id = "endless" }).SoonAsync());

        Assert.Contains("would be nested more than 20 deep. Check the recursion of workflow 'Endless'.", failure.Message, StringComparison.Ordinal);
        Assert.Equal(typeof(WorkflowLimitException).FullName, failure.Error.Type);
    }

    [Fact]
    public async Task ContinueAsNew_KeepsUnreadEvents()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Counter.Start(0, 100, new() { Id = "counter" });

        for (var i = 1; i <= 100; i++)
            await handle.SendEvent("add", i);

        Assert.Equal(5050, await handle.GetResult().SoonAsync());
        Assert.Equal(100, handle.GetMetadata().Run);
        Assert.True(fixture.Host.GetHistory("counter").Count < 100);
    }

    [Theory]
    [InlineData("try", "False System.IO.InvalidDataException broken")]
    [InlineData("catch", "True False False Step 'Fail' failed: broken")]
    [InlineData("null", "null")]
    [InlineData("timeout", "Event 'never' did not arrive in time.")]
    public async Task Run_FailuresAndNulls_AreSeenByTheCode(string kind, string expected)
    {
        await using var fixture = await WorkflowFixture.Start();

        Assert.Equal(expected, await fixture.Host.Catcher.Run(kind).SoonAsync());
    }

    [Fact]
    public async Task Step_ReturnsStream_FailsWithTheReason()
    {
        await using var fixture = await WorkflowFixture.Start();

        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.Catcher.Run("stream").SoonAsync());

        Assert.Contains("The result of step 'OpenStream' of type MemoryStream cannot be stored", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Step_InWorkerProcess_RunsThere()
    {
        await using var fixture = await WorkflowFixture.Start();

        var pid = await fixture.Host.Run(fixture.Host.Steps.ProcessId.Bind()).SoonAsync();

        Assert.NotEqual(Environment.ProcessId, pid);
    }

    [Fact]
    public async Task Step_WorkerDies_IsRetriedByCore()
    {
        await using var fixture = await WorkflowFixture.Start();

        Assert.Equal("survived", await fixture.Host.Run(fixture.Host.Steps.DieOnce.Bind(Path.Combine(fixture.Folder, "marker"))).SoonAsync());
    }

    [Fact]
    public async Task Step_ExceedsTimeout_FailsAndItsTokenIsCanceled()
    {
        await using var fixture = await WorkflowFixture.Start();
        var node = fixture.Host.Steps.Wait.Bind("never-opened-timeout", 1).Options(new() { Timeout = TimeSpan.FromMilliseconds(20) });

        var failure = await Assert.ThrowsAsync<WorkflowFailedException>(() => fixture.Host.Run(node).SoonAsync());

        Assert.Equal(typeof(RequestTimeoutException).FullName, failure.Error.Type);
    }

    [Fact]
    public async Task Step_WithoutCheckpoint_IsRepeatedOnResumeAndNotStored()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Stored.Start(1000, new() { Id = "stored" });
        await Eventually.TrueAsync(() => fixture.Host.GetHistory("stored").Count == 1);

        await fixture.Restart();
        await fixture.Host.SendEvent("stored", "go", 1);

        Assert.Equal(499_500, await fixture.Host.GetOutput<double>("stored").SoonAsync());
        Assert.Equal(["read", "read"], Effects.Of("stored"));
        Assert.Equal(HistoryKind.StepNotStored, fixture.Host.GetHistory("stored")[0].Kind);
    }

    [Fact]
    public async Task Signals_ChangeStateInOrderAndFailuresAreLogged()
    {
        await using var fixture = await WorkflowFixture.Start();
        var handle = await fixture.Host.Doorman.Start(3, new() { Id = "door" });

        await handle.Signal(door => door.Enter("ann"), idempotencyKey: "1");
        await handle.Signal(door => door.Enter("ann"), idempotencyKey: "1");
        await handle.Signal(door => door.Enter(""));
        await fixture.Restart();
        await fixture.Host.Signal("door", "Enter", ["bob"]);
        Assert.Equal(2, await fixture.Host.GetHandle<Doorman, string>("door").Query(door => door.Count()).SoonAsync());
        await fixture.Host.Signal("door", "Enter", ["eve"]);

        Assert.Equal("True ann,bob,eve", await fixture.Host.GetOutput<string>("door").SoonAsync());
        Assert.Contains(fixture.Logs.Messages, message => message.StartsWith("Signal 'Enter' of workflow 'door' threw", StringComparison.Ordinal));
    }
}
