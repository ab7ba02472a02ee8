using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Runtime.Testing;

namespace Serve.Runtime.Workers.Tests.Nodes;

public sealed class InProcessActorTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly SampleActivator _activator = new();
    private readonly ServiceProvider _services;
    private readonly INodeAgent _runtime;

    public InProcessActorTests()
    {
        var collection = new ServiceCollection();
        collection.AddServeRuntime(new() { Resources = ResourceDemand.None.With(ResourceDemand.Cpu, 2) });
        collection.AddSingleton<IActorActivator>(_activator);
        _services = collection.BuildServiceProvider();
        _runtime = _services.GetRequiredService<INodeAgent>();
    }

    public Task InitializeAsync() => Task.CompletedTask;

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public ValueTask DisposeAsync() => _services.DisposeAsync();

    [Fact]
    public async Task Invoke_ByNameAndTyped_ReachTheSameInstance()
    {
        var actor = await CreateAsync();
        Assert.Equal(1, await actor.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default));
        Assert.Equal(2, await actor.InvokeAsync(new TypedIncrement(), CallContext.None, default));
    }

    [Fact]
    public async Task Invoke_TypedAndSynchronous_AllocatesNothing()
    {
        var actor = await CreateAsync();
        var call = new TypedIncrement();
        long Measure(int calls)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < calls; i++)
                _ = actor.InvokeAsync(call, CallContext.None, default).Result;
            return GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Measure(100);
        Assert.Equal(0, Measure(1000));
    }

    [Fact]
    public async Task Invoke_UserCodeThrows_WrapsTheOriginalAndActorLivesOn()
    {
        var actor = await CreateAsync();
        var thrown = await Assert.ThrowsAsync<UserCodeException>(() => actor.InvokeAsync(new NamedMethodCall<int>("Fail"), CallContext.None, default).AsTask());
        Assert.IsType<InvalidOperationException>(thrown.InnerException);
        Assert.Equal(1, await actor.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default));
    }

    [Fact]
    public async Task Invoke_WrongName_IsBadInput()
    {
        var actor = await CreateAsync();
        var thrown = await Assert.ThrowsAsync<BadInputException>(() => actor.InvokeAsync(new NamedMethodCall<int>("Increments"), CallContext.None, default).AsTask());
        Assert.Contains("Did you mean 'Increment'?", thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invoke_AtTheLimit_IsRefusedUntilOneLeaves()
    {
        var actor = await CreateAsync(maxOngoing: 1);
        var waiting = actor.InvokeAsync(new NamedMethodCall<int>("WaitForRelease"), CallContext.None, default).AsTask();
        var refused = await Assert.ThrowsAsync<CallRefusedException>(() => actor.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default).AsTask());
        Assert.False(refused.Gone);
        _activator.Last!.Release.SetResult();
        await waiting.SoonAsync();
        Assert.Equal(1, await actor.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default));
    }

    [Fact]
    public async Task Invoke_CallerCancels_TokenReachesTheMethod()
    {
        var actor = await CreateAsync();
        using var source = new CancellationTokenSource();
        var call = actor.InvokeAsync(new NamedMethodCall<int>("Forever"), CallContext.None, source.Token).AsTask();
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(call.SoonAsync);
    }

    [Fact]
    public async Task Invoke_ContextIsSeen_DuringTheCallOnly()
    {
        var actor = await CreateAsync(seesRequests: true);
        Assert.Equal("r1", await actor.InvokeAsync(new NamedMethodCall<string>("RequestId"), new() { RequestId = "r1" }, default));
        Assert.Null(RequestContext.Current);
    }

    [Fact]
    public async Task Stream_IsOngoing_UntilLeft()
    {
        var actor = await CreateAsync(maxOngoing: 1);
        var seen = new List<long>();
        await foreach (var item in actor.StreamAsync(new NamedMethodCall<IAsyncEnumerable<long>>("Count", 100), CallContext.None, default))
        {
            seen.Add(item);
            await Assert.ThrowsAsync<CallRefusedException>(() => actor.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default).AsTask());
            if (item == 2)
                break;
        }

        Assert.Equal([0L, 1L, 2L], seen);
        Assert.True(_activator.Last!.StreamDisposed);
        Assert.Equal(1, await actor.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default));
    }

    [Fact]
    public async Task Stop_WithOngoingCalls_DrainsThenDisposes()
    {
        var actor = await CreateAsync();
        var waiting = actor.InvokeAsync(new NamedMethodCall<int>("WaitForRelease"), CallContext.None, default).AsTask();
        var stop = _runtime.StopActorAsync(actor.Id, TimeSpan.FromSeconds(30), default);
        await Eventually.TrueAsync(() => Refuses(actor));
        Assert.False(_activator.Last!.Disposed);
        Assert.False(stop.IsCompleted);
        _activator.Last.Release.SetResult();
        Assert.Equal(42, await waiting.SoonAsync());
        await stop.SoonAsync();
        Assert.True(_activator.Last.Disposed);
    }

    [Fact]
    public async Task Stop_DrainTimesOut_CancelsWhatIsOngoing()
    {
        var actor = await CreateAsync();
        var forever = actor.InvokeAsync(new NamedMethodCall<int>("Forever"), CallContext.None, default).AsTask();
        var deaf = actor.InvokeAsync(new NamedMethodCall<int>("WaitForRelease"), CallContext.None, default).AsTask();
        await _runtime.StopActorAsync(actor.Id, TimeSpan.FromMilliseconds(50), default).SoonAsync();
        await Assert.ThrowsAsync<ReplicaDiedException>(forever.SoonAsync);
        await Assert.ThrowsAsync<ReplicaDiedException>(deaf.SoonAsync);
        Assert.True(_activator.Last!.Disposed);
    }

    [Fact]
    public async Task Stop_Twice_IsOneStop()
    {
        var actor = await CreateAsync();
        await Task.WhenAll(_runtime.StopActorAsync(actor.Id, TimeSpan.FromSeconds(5), default), _runtime.StopActorAsync(actor.Id, TimeSpan.FromSeconds(5), default)).SoonAsync();
        await _runtime.StopActorAsync(actor.Id, TimeSpan.Zero, default);
        Assert.Equal(1, _activator.Last!.Disposals);
    }

    [Fact]
    public async Task Create_ConstructorThrows_TellsAndFreesResources()
    {
        var thrown = await Assert.ThrowsAsync<ActorCreationException>(() => CreateAsync(id: "bad", cpus: 1));
        Assert.Contains("no luck", thrown.Message, StringComparison.Ordinal);
        Assert.Empty(_runtime.Resources.Reserved.Units);
    }

    [Fact]
    public async Task Create_Cancelled_IsUndone()
    {
        using var source = new CancellationTokenSource();
        _activator.Block = new TaskCompletionSource();
        var creation = CreateAsync(id: "slow", cpus: 2, cancellationToken: source.Token);
        await Eventually.TrueAsync(() => _activator.Activations == 1);
        await source.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(creation.SoonAsync);
        Assert.Empty(_runtime.Resources.Reserved.Units);
        _activator.Block.SetResult();
        await Eventually.TrueAsync(() => _activator.Last?.Disposed == true);
        await CreateAsync(id: "slow", cpus: 2);
    }

    [Fact]
    public async Task Create_NotEnoughResources_SaysSoAndStopFrees()
    {
        var first = await CreateAsync(id: "first", cpus: 2);
        await Assert.ThrowsAsync<InsufficientResourcesException>(() => CreateAsync(id: "second", cpus: 1));
        await _runtime.StopActorAsync(first.Id, TimeSpan.Zero, default);
        await CreateAsync(id: "second", cpus: 1);
    }

    [Fact]
    public async Task Resolve_ActorThatIsNotThere_RefusesUntilItIs()
    {
        var handle = Resolve(new("later"), new("node"));
        var refused = await Assert.ThrowsAsync<CallRefusedException>(() => handle.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default).AsTask());
        Assert.True(refused.Gone);
        await CreateAsync(id: "later");
        Assert.Equal(1, await handle.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default));
    }

    private ICallTarget Resolve(ActorId id, HostProcessAddress process) => _services.GetRequiredService<IActorReferenceResolver>().Resolve(id, process);

    private static bool Refuses(CreatedTestActor actor) => actor.InvokeAsync(new NamedMethodCall<int>("Increment"), CallContext.None, default).IsFaulted;

    private async Task<CreatedTestActor> CreateAsync(
        string id = "a", double cpus = 0, int maxOngoing = 100, bool seesRequests = false, CancellationToken cancellationToken = default)
    {
        _activator.SeesRequests = seesRequests;
        var process = await _runtime.CreateActorAsync(
            new() { Id = new(id), Kind = "sample", MaxOngoing = maxOngoing, Resources = ResourceDemand.None.With(ResourceDemand.Cpu, cpus) }, cancellationToken);
        return new(new(id), process, Resolve(new(id), process));
    }

    private sealed class TypedIncrement : MethodCall<int>
    {
        public override string Method => "Increment";

        public override bool TryInvoke(object target, CancellationToken cancellationToken, out ValueTask<int> result)
        {
            result = target is SampleActor sample ? new(sample.Increment()) : default;
            return target is SampleActor;
        }

        public override object?[] GetArguments() => [];
    }

    private sealed class SampleActivator : IActorActivator
    {
        public string Kind => "sample";

        public SampleActor? Last { get; private set; }

        public bool SeesRequests { get; set; }

        public TaskCompletionSource? Block { get; set; }

        public int Activations { get; private set; }

        public async ValueTask<ActorInstance> ActivateAsync(ActorActivationContext context, CancellationToken cancellationToken)
        {
            Activations++;
            if (Block is { } block)
                await block.Task;
            if (context.Spec.Id.Value == "bad")
                throw new InvalidOperationException("no luck");
            return new SampleInstance(Last = new SampleActor(), SeesRequests);
        }
    }

    private sealed class SampleInstance(SampleActor sample, bool seesRequests) : ActorInstance
    {
        public override object Target => sample;

        public override ActorMethodTable Methods { get; } = ActorMethodTable.For(typeof(SampleActor));

        public override bool SeesRequests => seesRequests;

        public override ValueTask DisposeAsync()
        {
            sample.Disposals++;
            return default;
        }
    }

    private sealed class SampleActor
    {
        private int _count;

        public TaskCompletionSource Release { get; } = new();

        public int Disposals { get; set; }

        public bool Disposed => Disposals > 0;

        public bool StreamDisposed { get; private set; }

        public int Increment() => ++_count;

        public int Fail() => throw new InvalidOperationException("failed");

        public string? RequestId() => RequestContext.Current?.Call.RequestId;

        public async Task<int> WaitForRelease()
        {
            await Release.Task;
            return 42;
        }

        public async Task<int> Forever(CancellationToken token)
        {
            await Task.Delay(Timeout.Infinite, token);
            return 0;
        }

        public async IAsyncEnumerable<int> Count(int to)
        {
            try
            {
                for (var i = 0; i < to; i++)
                {
                    await Task.Yield();
                    yield return i;
                }
            }
            finally
            {
                StreamDisposed = true;
            }
        }
    }
}
