using System.Text.Json;
using Serve.Calls;
using Serve.Runtime.Testing;

namespace Serve.Runtime.Workers.Tests.Nodes;

public sealed class WorkerActorCallTests(WorkerActorCallTests.WorkerAgentFixture fixture) : IClassFixture<WorkerActorCallTests.WorkerAgentFixture>
{
    private static readonly WorkerPlacement Place = new WorkerPlacement.Shared("calls");
    private readonly LocalAgentFixture _runtime = fixture.Runtime;

    [Fact]
    public async Task Call_ActorInAWorker_RunsThere()
    {
        var actor = await _runtime.CreateAsync(Place);
        Assert.Equal(1, await actor.CallAsync<int>("Increment"));
        Assert.Equal(2, await actor.CallAsync<int>("Increment"));
        Assert.Equal("héllo", await actor.CallAsync<string>("Echo", "héllo"));
        Assert.NotEqual(Environment.ProcessId, await actor.CallAsync<int>("Pid"));
        Assert.Equal(actor.Process.ProcessId, await actor.CallAsync<string>("Where"));
        Assert.Equal(JsonValueKind.Number, (await actor.CallAsync<JsonElement>("State")).ValueKind);
        Assert.Null(await actor.CallAsync<object?>("Nothing"));
        Assert.Equal(0, await actor.CallAsync<int>("Nothing"));
    }

    [Fact]
    public async Task Call_Wrong_IsBadInputThatHelps()
    {
        var actor = await _runtime.CreateAsync(Place);
        Assert.Contains("Did you mean 'Increment'?", (await Assert.ThrowsAsync<BadInputException>(() => actor.CallAsync<int>("Incremen"))).Message, StringComparison.Ordinal);
        Assert.Contains("must be int", (await Assert.ThrowsAsync<BadInputException>(() => actor.CallAsync<int>("Wait", "x"))).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be read as int", (await Assert.ThrowsAsync<BadInputException>(() => actor.CallAsync<int>("Echo", "x"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_UserCodeThrows_TypeMessageAndStackTravel()
    {
        var actor = await _runtime.CreateAsync(Place);
        var thrown = await Assert.ThrowsAsync<UserCodeException>(() => actor.CallAsync<int>("Fail"));
        Assert.Equal("System.InvalidOperationException", thrown.ExceptionType);
        Assert.Equal("failed as asked", thrown.Message);
        Assert.Contains("TestActor.Fail", thrown.RemoteStack, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Call_Cancelled_TokenFiresInTheWorkerAndTheGateIsLeft()
    {
        var actor = await _runtime.CreateAsync(Place, maxOngoing: 1);
        using var source = new CancellationTokenSource();
        var call = await FillAsync(actor, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(call.SoonAsync);
        await Eventually.TrueAsync(async () => !await IsFull(actor));
    }

    [Fact]
    public async Task Call_ManyCancelledAtOnce_SpareTheOthers()
    {
        var actor = await _runtime.CreateAsync(Place);
        var spared = actor.CallAsync<int>("Wait", 1500);
        using var source = new CancellationTokenSource();
        var calls = Enumerable.Range(0, 600).Select(_ => actor.InvokeAsync(new NamedMethodCall<bool>("Forever"), CallContext.None, source.Token).AsTask()).ToList();
        Assert.Equal(1, await actor.CallAsync<int>("Increment"));
        await source.CancelAsync();
        foreach (var call in calls)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(call.SoonAsync);
        Assert.Equal(1500, await spared);
        Assert.Equal(2, await actor.CallAsync<int>("Increment"));
    }

    [Fact]
    public async Task Call_ContextTravels()
    {
        var actor = await _runtime.CreateAsync(Place);
        Assert.Equal("r7", await actor.InvokeAsync(new NamedMethodCall<string?>("RequestId"), new() { RequestId = "r7" }, default).SoonAsync());
        Assert.Null(await actor.InvokeAsync(new NamedMethodCall<string?>("RequestId"), CallContext.None, default).SoonAsync());
    }

    [Fact]
    public async Task Call_EightMebibytes_ComeThereAndBack()
    {
        var actor = await _runtime.CreateAsync(Place);
        var bytes = new byte[8 << 20];
        Random.Shared.NextBytes(bytes);
        Assert.Equal(bytes, await actor.CallAsync<byte[]>("Bytes", bytes));
    }

    [Fact]
    public async Task Call_WrongToken_NeverStarts()
    {
        var actor = await _runtime.CreateAsync(Place);
        var forged = _runtime.Resolve(actor.Id, actor.Process with { Token = "0000" });
        await Assert.ThrowsAsync<CallRefusedException>(() => forged.CallAsync<int>("Increment"));
        Assert.Equal(1, await actor.CallAsync<int>("Increment"));
    }

    [Fact]
    public async Task Call_Blocking_HasADedicatedThread() => Assert.True(await (await _runtime.CreateAsync(Place)).CallAsync<bool>("Block", 1));

    [Fact]
    public async Task Call_ActorThatIsNotThere_IsRefusedAsGone()
    {
        var actor = await _runtime.CreateAsync(Place);
        var refused = await Assert.ThrowsAsync<CallRefusedException>(() => _runtime.Resolve(new("missing"), actor.Process).CallAsync<int>("Increment"));
        Assert.True(refused.Gone);
    }

    [Fact]
    public async Task Call_NothingListens_IsRefusedAsGone()
    {
        var nowhere = _runtime.Resolve(new("missing"), new("other", null, "1", "t"));
        Assert.True((await Assert.ThrowsAsync<CallRefusedException>(() => nowhere.CallAsync<int>("Increment"))).Gone);
    }

    [Fact]
    public async Task Stream_ToItsEnd_YieldsAllAndConverts()
    {
        var actor = await _runtime.CreateAsync(Place);
        Assert.Equal([0L, 1L, 2L], await actor.StreamAsync<long>("Count", 3).ToListAsync());
        Assert.Equal(-1, await actor.CallAsync<int>("State"));
    }

    [Fact]
    public async Task Stream_LeftEarly_IsCancelledInTheWorker()
    {
        var actor = await _runtime.CreateAsync(Place, maxOngoing: 1);
        await foreach (var item in actor.StreamAsync<int>("Count", 1_000_000))
        {
            if (item == 3)
                break;
        }

        await Eventually.TrueAsync(async () => !await IsFull(actor));
        Assert.Equal(-1, await actor.CallAsync<int>("State"));
    }

    [Fact]
    public async Task Stream_UserCodeThrows_ItemsComeFirst()
    {
        var actor = await _runtime.CreateAsync(Place);
        var seen = new List<int>();
        var thrown = await Assert.ThrowsAsync<UserCodeException>(async () =>
        {
            await foreach (var item in actor.StreamAsync<int>("FailAfter", 2))
                seen.Add(item);
        });
        Assert.Equal("the stream broke", thrown.Message);
        Assert.Equal([0, 1], seen);
    }

    [Fact]
    public async Task Stream_OfAMethodThatDoesNotStream_IsBadInput()
    {
        var actor = await _runtime.CreateAsync(Place);
        await Assert.ThrowsAsync<BadInputException>(() => actor.StreamAsync<int>("Increment").ToListAsync().AsTask());
        await Assert.ThrowsAsync<BadInputException>(() => actor.CallAsync<int>("Count", 1));
    }

    [Fact]
    public async Task Call_FromAWorkerToTheNodeAndToAnotherWorker_Arrives()
    {
        var caller = await _runtime.CreateAsync(Place);
        var other = await _runtime.CreateAsync(new WorkerPlacement.Own("other"));
        var inNode = await _runtime.CreateAsync(WorkerPlacement.InProcess);
        Assert.Equal(1, await caller.CallAsync<int>("IncrementOther", other.Id.Value, other.Process));
        Assert.NotNull(inNode.Process.CallAddress);
        Assert.Equal(1, await caller.CallAsync<int>("IncrementOther", inNode.Id.Value, inNode.Process));
        Assert.Equal(2, await inNode.CallAsync<int>("Increment"));
    }

    [Fact]
    public async Task CheckHealth_SickActor_SaysWhy()
    {
        var actor = await _runtime.CreateAsync(Place);
        await _runtime.Node.CheckActorAsync(actor.Id, TimeSpan.FromSeconds(30), default).SoonAsync();
        await actor.CallAsync<object?>("FallIll");
        Assert.Equal("not well", (await Assert.ThrowsAsync<UserCodeException>(() => _runtime.Node.CheckActorAsync(actor.Id, TimeSpan.FromSeconds(30), default))).Message);
    }

    [Fact]
    public async Task Reconfigure_NewLimitAndSettings_AreInForce()
    {
        var actor = await _runtime.CreateAsync(Place);
        await _runtime.Node.ReconfigureActorAsync(actor.Id, 1, "new"u8.ToArray(), default).SoonAsync();
        Assert.Equal("new", await actor.CallAsync<string>("Configured"));
        using var source = new CancellationTokenSource();
        var forever = await FillAsync(actor, source.Token);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => forever);
    }

    [Fact]
    public async Task Create_OnGpus_TellsTheActorWhich()
    {
        var actor = await _runtime.CreateAsync(Place, gpus: 1);
        Assert.Single(await actor.CallAsync<int[]>("Gpus"));
        await _runtime.Node.StopActorAsync(actor.Id, TimeSpan.Zero, default);
    }

    [Fact]
    public async Task CollectWorkerMetrics_OneTextPerWorker()
    {
        await _runtime.CreateAsync(Place);
        Assert.Contains(await _runtime.Node.CollectMetricsAsync(default).SoonAsync(), text => text.Contains("# TYPE", StringComparison.Ordinal));
    }

    /// <summary>Occupies an actor that takes one call at once.</summary>
    private static async Task<Task<bool>> FillAsync(CreatedTestActor actor, CancellationToken cancellationToken)
    {
        Task<bool> Begin() => actor.InvokeAsync(new NamedMethodCall<bool>("Forever"), CallContext.None, cancellationToken).AsTask();
        var call = Begin();
        await Eventually.TrueAsync(async () =>
        {
            // The call that asks may itself be what this one was refused for.
            if (call.IsFaulted)
                call = Begin();
            return await IsFull(actor) && !call.IsCompleted;
        });
        return call;
    }

    private static async Task<bool> IsFull(ICallTarget actor)
    {
        try
        {
            await actor.CallAsync<int>("State");
            return false;
        }
        catch (CallRefusedException refused) when (!refused.Gone)
        {
            return true;
        }
    }

    public sealed class WorkerAgentFixture : IAsyncLifetime
    {
        internal LocalAgentFixture Runtime { get; } = new();

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync() => await Runtime.DisposeAsync();
    }
}
