using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Actors;

public sealed class ActorLifecycleTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<string> _log = new();
    private Cluster _ray = null!;

    public async Task InitializeAsync() => _ray = await Cluster.Init(new() { NumCpus = 2 });

    public async Task DisposeAsync() => await _ray.DisposeAsync();

    [Fact]
    public async Task Remote_ConstructorTakesLong_HandleIsThereAndCallsWait()
    {
        var gate = new TestCallGate();
        var actor = _ray.LogActor.Remote(_log, gate);
        await gate.Entered;
        var said = actor.Say.Remote("hello");
        Assert.False(actor.Created.IsReady);
        Assert.Equal(ActorPhase.PendingCreation, Assert.Single(_ray.ListActors()).State);
        gate.Open();
        await said;
        await actor.Created;
        Assert.Equal(["made", "hello"], _log);
        Assert.Equal(ActorPhase.Alive, Assert.Single(_ray.ListActors()).State);
    }

    [Fact]
    public async Task Call_Ended_CodeThatItLeavesBehindDoesNotKeepItsArguments()
    {
        var actor = _ray.Ring.Remote();
        var until = new TaskCompletionSource();
        var argument = await CallAsync(actor, until);
        await actor.One.Remote();

        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            return !argument.IsAlive;
        });
        until.SetResult();

        [MethodImpl(MethodImplOptions.NoInlining)]
        static async Task<WeakReference> CallAsync(ActorHandle<Ring> actor, TaskCompletionSource until)
        {
            var argument = new object();
            await actor.LeaveBehind.Remote(argument, until);
            return new(argument);
        }
    }

    [Fact]
    public async Task Call_EndedAndItsRefIsKept_ItsArgumentsAreCollected()
    {
        var actor = _ray.Ring.Remote();
        var until = new TaskCompletionSource();
        until.SetResult();
        var (kept, argument) = Call(actor, until);
        await kept;
        await actor.One.Remote();

        await Eventually.TrueAsync(() =>
        {
            GC.Collect();
            return !argument.IsAlive;
        });
        _ray.Cancel(kept);
        await kept;

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (ObjectRef Kept, WeakReference Argument) Call(ActorHandle<Ring> actor, TaskCompletionSource until)
        {
            var argument = new object();
            return (actor.LeaveBehind.Remote(argument, until), new(argument));
        }
    }

    [Fact]
    public async Task Remote_ConstructorThrows_EveryCallFailsWithIt()
    {
        var actor = _ray.FailingActor.Remote("no such file");
        var early = actor.One.Remote();
        var thrown = await Assert.ThrowsAsync<ActorDiedException>(async () => await early);
        Assert.Contains("no such file", thrown.Message, StringComparison.Ordinal);
        Assert.IsType<InvalidOperationException>(Assert.IsType<UserCodeException>(thrown.InnerException).InnerException);
        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.One.Remote());
        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Created);
        Assert.Contains("no such file", Assert.Single(_ray.ListActors()).DeathCause, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Remote_ConstructorTakesARef_WaitsForIt()
    {
        var gate = new TestCallGate();
        var start = _ray.CountActor.Remote().WaitFor.Remote(gate, 7);
        var actor = _ray.CountActor.Remote(start);
        var read = actor.Read.Remote();
        Assert.False(read.IsReady);
        gate.Open();
        Assert.Equal(7, await read);
    }

    [Fact]
    public async Task Actor_ArgumentsAsObjects_AreFittedToTheConstructor()
    {
        Assert.Equal(5, await _ray.Actor<CountActor>(null, 5).Read.Remote());
        Assert.Equal(6, await _ray.Actor<CountActor>(null, _ray.Put(6)).Read.Remote());
        Assert.Equal(0, await _ray.Actor<CountActor>().Read.Remote());
        Assert.Throws<BadInputException>(() => _ray.Actor<CountActor>(null, 1, 2));
        Assert.Throws<BadInputException>(() => _ray.Actor<CountActor>(null, "one"));
    }

    [Fact]
    public async Task GetActor_Named_FindsItUntilItIsKilled()
    {
        var made = _ray.CountActor.Options(new() { Name = "counter" }).Remote();
        await made.Increment.Remote(3);
        var found = _ray.GetActor<CountActor>("counter");
        Assert.Equal(made.Id, found.Id);
        Assert.Equal(3, await found.Read.Remote());
        Assert.Throws<ArgumentException>(() => _ray.CountActor.Options(new() { Name = "counter" }).Remote());
        Assert.Throws<ActorNotFoundException>(() => _ray.GetActor<LogActor>("counter"));
        Assert.Contains("'counter'", Assert.Throws<ActorNotFoundException>(() => _ray.GetActor<CountActor>("countr")).Message, StringComparison.Ordinal);
        made.Kill();
        Assert.Throws<ActorNotFoundException>(() => _ray.GetActor<CountActor>("counter"));
        Assert.Equal(0, await _ray.CountActor.Options(new() { Name = "counter" }).Remote().Read.Remote());
    }

    [Fact]
    public async Task GetIfExists_ManyAtOnce_MakesOne()
    {
        var handles = new ConcurrentBag<ActorHandle<CountActor>>();
        System.Threading.Tasks.Parallel.For(0, 64, _ => handles.Add(_ray.CountActor.Options(new() { Name = "one", GetIfExists = true }).Remote()));
        await _ray.Get(handles.Select(handle => handle.Increment.Remote(1)));
        Assert.Equal(64, await _ray.GetActor<CountActor>("one").Read.Remote());
        Assert.Single(_ray.ListActors());
    }

    [Fact]
    public async Task Kill_RunningAndWaitingCalls_FailAtOnce()
    {
        var actor = _ray.CountActor.Remote();
        var gate = new TestCallGate();
        var running = actor.Block.Remote(gate);
        var waiting = actor.Increment.Remote(1);
        await gate.Entered;
        actor.Kill();
        Assert.Contains("killed", (await Assert.ThrowsAsync<ActorDiedException>(async () => await running)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ActorDiedException>(async () => await waiting);
        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Read.Remote());
        Assert.Equal(ActorPhase.Dead, Assert.Single(_ray.ListActors()).State);
        gate.Open();
    }

    [Fact]
    public async Task Kill_RestartsAllowed_IsMadeAgainWithoutItsState()
    {
        var actor = _ray.CountActor.Options(new() { MaxRestarts = 1, Name = "again" }).Remote(5);
        Assert.Equal(6, await actor.Increment.Remote(1));
        actor.Kill(noRestart: false);
        Assert.Equal(5, await actor.Read.Remote());
        Assert.Equal(1, Assert.Single(_ray.ListActors()).NumRestarts);
        Assert.Equal(actor.Id, _ray.GetActor<CountActor>("again").Id);
        actor.Kill(noRestart: false);
        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Read.Remote());
    }

    [Fact]
    public async Task Kill_ThoughRestartsAreLeft_EndsItForGood()
    {
        var actor = _ray.CountActor.Options(new() { MaxRestarts = -1, MaxTaskRetries = -1 }).Remote(5);
        await actor.Created;

        actor.Kill();

        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Read.Remote());
        Assert.Equal((ActorPhase.Dead, 0), (_ray.ListActors().Single().State, _ray.ListActors().Single().NumRestarts));
    }

    [Fact]
    public async Task Kill_DuringARun_CallsThatMayGoAgainDoAndOrderIsKept()
    {
        var actor = _ray.CountActor.Options(new() { MaxRestarts = -1, MaxTaskRetries = -1 }).Remote(0);
        var gate = new TestCallGate();
        var waits = actor.WaitFor.Remote(gate, 100);
        await actor.Increment.Remote(1);
        actor.Kill(noRestart: false);
        var after = Enumerable.Range(1, 100).Select(_ => actor.Increment.Remote(1)).ToArray();
        Assert.Equal(Enumerable.Range(1, 100), await _ray.Get(after));
        gate.Open();
        Assert.Equal(200, await waits);
    }

    [Fact]
    public async Task Terminate_WaitsForCallsAndDisposes()
    {
        var actor = _ray.LogActor.Remote(_log);
        var gate = new TestCallGate();
        _ = actor.SayLater.Remote("late", gate);
        var said = actor.Say.Remote("said");
        var end = actor.Terminate();
        await Assert.ThrowsAsync<ActorDiedException>(async () => await actor.Say.Remote("refused"));
        await said;
        Assert.False(end.IsCompleted);
        gate.Open();
        await end;
        Assert.Equal(["made", "said", "late", "disposed"], _log);
    }

    [Fact]
    public async Task ExitActor_FromInside_EndsItForGood()
    {
        var actor = _ray.CountActor.Options(new() { MaxRestarts = 5 }).Remote();
        var exits = actor.Exit.Remote();
        var after = actor.Read.Remote();
        Assert.Contains("ended itself in Exit", (await Assert.ThrowsAsync<ActorDiedException>(async () => await exits)).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<ActorDiedException>(async () => await after);
        Assert.Equal(ActorPhase.Dead, Assert.Single(_ray.ListActors()).State);
    }

    [Fact]
    public async Task Handle_LastOneIsCollected_ActorEndsWhenItsCallsHaveEnded()
    {
        var gate = new TestCallGate();
        var late = CallAndForget(gate, detached: false);
        await CollectUntil(() => _log.Contains("made"));
        gate.Open();
        await late;
        await CollectUntil(() => _log.Contains("disposed"));
        Assert.Equal(["made", "late", "disposed"], _log);
    }

    [Fact]
    public async Task OnLost_LastHandleIsGoneAndCallsAreLeft_IsMadeAgainForThem()
    {
        var gate = new TestCallGate();
        var handle = _ray.CountActor.Options(new() { MaxRestarts = 1 }).Remote(5);
        var actor = CoreOf(handle.Id);
        var running = handle.Block.Remote(gate);
        var waiting = handle.Read.Remote();
        await gate.Entered;
        actor.ReleaseHandle();

        actor.OnLost(actor.Incarnation!, "It fell.");

        Assert.Contains("It fell.", (await Assert.ThrowsAsync<ActorDiedException>(async () => await running)).Message, StringComparison.Ordinal);
        gate.Open();
        Assert.Equal(5, await waiting);
        await actor.Ended.SoonAsync();
        Assert.Equal((ActorPhase.Dead, 1), (actor.State.State, actor.State.NumRestarts));
        GC.KeepAlive(handle);
    }

    [Fact]
    public async Task OnLost_LastHandleIsGoneAndNoCallIsLeft_Ends()
    {
        var handle = _ray.LogActor.Options(new() { MaxRestarts = -1 }).Remote(_log);
        var actor = CoreOf(handle.Id);
        await handle.Created;
        var running = handle.SayLater.Remote("late", new TestCallGate());
        await handle.Say.Remote("said");
        actor.ReleaseHandle();

        actor.OnLost(actor.Incarnation!, "It fell.");

        await Assert.ThrowsAsync<ActorDiedException>(async () => await running);
        await actor.Ended.SoonAsync();
        Assert.Single(_log, "made");
        GC.KeepAlive(handle);
    }

    [Fact]
    public async Task Handle_LastOneOfADetachedActorIsCollected_ActorLivesOn()
    {
        var gate = new TestCallGate();
        gate.Open();
        await CallAndForget(gate, detached: true);
        for (var i = 0; i < 5; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        await _ray.GetActor<LogActor>("forgotten").Say.Remote("still here");
        Assert.Equal(["made", "late", "still here"], _log);
    }

    [Fact]
    public async Task Dispose_OfTheCluster_EndsActors()
    {
        var actor = _ray.LogActor.Remote(_log);
        await actor.Created;
        await _ray.DisposeAsync();
        Assert.Equal(["made", "disposed"], _log);
        GC.KeepAlive(actor);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ObjectRef<object?> CallAndForget(TestCallGate gate, bool detached) =>
        _ray.LogActor.Options(new() { Name = "forgotten", Detached = detached }).Remote(_log).SayLater.Remote("late", gate);

    private static Task CollectUntil(Func<bool> condition) => Eventually.TrueAsync(() =>
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return condition();
    });

    private ActorRecord CoreOf(string id) => ((DriverCluster)_ray).Actors.Directory.Find(new(id))!;
}
