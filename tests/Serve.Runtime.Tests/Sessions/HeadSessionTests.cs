using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Clusters;
using Serve.Runtime.CoreActors;
using Serve.Runtime.Objects;
using Serve.Runtime.Rpc;
using Serve.Runtime.Serialization;
using Serve.Runtime.Sessions;
using Serve.Runtime.Tasks;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Tests.Testing;
using Serve.Runtime.Topics;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers;

namespace Serve.Runtime.Tests.Sessions;

/// <summary>What the head makes of a worker's messages that it cannot take as they are.</summary>
public sealed class HeadSessionTests : IAsyncLifetime, IAsyncDisposable, IRunListener
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("serve-head-session-tests");
    private readonly HeadCluster cluster = new(new() { NumCpus = 1, Isolation = Isolation.Process });
    private readonly TaskCompletionSource<string> lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<FrameStream> connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Worker worker;
    private HeadSession session = null!;
    private FrameStream there = null!;

    public HeadSessionTests() =>
        worker = new("worker", null, "tasks", "none.log", new(new(), new CallChannels(), new TopicBoard(new LocalServices()), null, TimeProvider.System, NullLogger<WorkerPool>.Instance), new CallChannels());

    public async Task InitializeAsync()
    {
        var address = SessionSocket.Listen("token", stream =>
        {
            connected.SetResult(stream);
            return over.Task;
        });
        var here = await SessionSocket.ConnectAsync(address, "token", CancellationToken.None);
        there = await connected.Task.SoonAsync();
        session = new(worker, here, new(), new(cluster));
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        worker.Ended.TrySetResult("It ended.");
        session.Dispose();
        over.SetResult();
        await cluster.DisposeAsync();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Start_CancelledBefore_IsNeverSent()
    {
        var cancelled = new FakeAttempt<int>(cluster, new(typeof(Jobs), nameof(Jobs.Pid), false, new()));
        await cancelled.Cancellation.CancelAsync();
        var other = new FakeAttempt<int>(cluster, new(typeof(Jobs), nameof(Jobs.Pid), false, new()));

        session.Start(new(cancelled, this));
        session.Start(new(other, this));

        Assert.Equal(other.Id.Number, (await ReadUntilAsync(Frame.BodyOneofCase.Run)).Run.Id);
        await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled.Result.SoonAsync());
        Assert.Equal(1, session.Count);
    }

    [Fact]
    public async Task Start_SharedArgument_StaysInMemoryUntilTheAnswer()
    {
        var put = cluster.Put(new double[50_000]);
        var run = await SendAsync(new(typeof(ArrayJobs), nameof(ArrayJobs.First), false, new()), cluster.Codec.Of(put));
        Assert.False(MayGoToDisk(put));

        await AnswerAsync(new Frame { Done = new() { Id = run.Id.Number, Value = Seven } });

        Assert.Equal(7, await run.Result.SoonAsync());
        Assert.True(MayGoToDisk(put));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Demand_SharedObject_StaysInMemoryUntilTheWorkerHasItOrIsDead(bool dies)
    {
        var put = cluster.Put(new double[50_000]);
        session.Lent.Add(put);
        await AnswerAsync(new Frame { Demand = new() { Number = 1, Id = put.Id.Number } });
        Assert.Equal(1, (await ReadUntilAsync(Frame.BodyOneofCase.Ready)).Ready.Number);
        Assert.False(MayGoToDisk(put));

        if (dies)
        {
            worker.Ended.SetResult("It was killed.");
            there.Dispose();
        }
        else
        {
            await AnswerAsync(new Frame { Taken = 1 });
        }

        await Eventually.HoldsAsync(() => MayGoToDisk(put));
    }

    [Fact]
    public async Task Done_MemoryOfAWorkerThatIsDead_RunIsLostAsTheOthersAre()
    {
        var (answered, other) = (await SendAsync(), await SendAsync());

        await AnswerAsync(new Frame { Done = new() { Id = answered.Id.Number, Value = OfADeadProcess } });
        worker.Ended.SetResult("It was killed.");

        Assert.Equal("It was killed.", await lost.Task.SoonAsync());
        await Assert.ThrowsAsync<WorkerDiedException>(() => answered.Result.SoonAsync());
        await Assert.ThrowsAsync<WorkerDiedException>(() => other.Result.SoonAsync());
    }

    [Fact]
    public async Task Put_MemoryOfAWorkerThatIsDead_ItsRunsAreLost()
    {
        var running = await SendAsync();

        await AnswerAsync(new Frame { Put = new() { Id = 1L << 40, Value = OfADeadProcess, Type = typeof(double[]).AssemblyQualifiedName } });
        worker.Ended.SetResult("It was killed.");

        await Assert.ThrowsAsync<WorkerDiedException>(() => running.Result.SoonAsync());
    }

    [Fact]
    public async Task Put_ValueThatCannotBeKept_FailsThatObjectAlone()
    {
        const long Id = 1L << 40;
        var running = await SendAsync();

        await AnswerAsync(
            new Frame { Put = new() { Id = Id, Value = OfNoType, Type = typeof(double[]).AssemblyQualifiedName } },
            new Frame { Demand = new() { Number = 1, Id = Id } });

        Assert.Contains("Nobody.Knows", (await ReadUntilAsync(Frame.BodyOneofCase.Ready)).Ready.Error.Message, StringComparison.Ordinal);
        Assert.IsType<NotSerializableException>(session.Lent.Find(Id)!.Error);
        await AnswerAsync(new Frame { Done = new() { Id = running.Id.Number, Value = Seven } });
        Assert.Equal(7, await running.Result.SoonAsync());
    }

    [Fact]
    public async Task Done_ValueThatCannotBeKept_FailsThatRunAlone()
    {
        var (answered, other) = (await SendAsync(), await SendAsync());

        await AnswerAsync(new Frame { Done = new() { Id = answered.Id.Number, Value = OfNoType } }, new Frame { Done = new() { Id = other.Id.Number, Value = Seven } });

        await Assert.ThrowsAsync<NotSerializableException>(() => answered.Result.SoonAsync());
        Assert.Equal(7, await other.Result.SoonAsync());
        Assert.Equal(0, session.Count);
    }

    [Fact]
    public async Task Item_ThatCannotBeKept_FailsTheRunAndTellsTheWorkerToStop()
    {
        var streaming = await SendAsync();

        await AnswerAsync(new Frame { Item = new() { Id = streaming.Id.Number, Value = OfNoType } });

        await Assert.ThrowsAsync<NotSerializableException>(() => streaming.Result.SoonAsync());
        Assert.Equal(streaming.Id.Number, (await ReadUntilAsync(Frame.BodyOneofCase.Cancel)).Cancel);
    }

    [Fact]
    public async Task Waits_WorkerEnds_AreOver()
    {
        var context = new FakeContext(cluster);
        var waits = await SendInAsync(context);
        await AnswerAsync(new Frame { Waits = new() { Number = 1, Task = waits.Id.Number, HoldsThread = true } });
        await Eventually.HoldsAsync(() => context.IsWaiting);

        worker.Ended.SetResult("It was killed.");
        there.Dispose();

        await Eventually.HoldsAsync(() => !context.IsWaiting);
    }

    [Fact]
    public async Task Waits_AreWhatTheWorkerSaysOfThem()
    {
        var context = new FakeContext(cluster);
        var waits = await SendInAsync(context);
        var (known, more) = (new ObjectRef<int>(cluster, cluster.NextId()), new ObjectRef<int>(cluster, cluster.NextId()));
        session.Lent.Add(known);
        session.Lent.Add(more);
        var ids = new[] { known.Id.Number, more.Id.Number, 1L << 40 };
        await AnswerAsync(
            new Frame { Waits = new() { Number = 1, Task = waits.Id.Number, Ids = { ids }, Count = 3 } },
            new Frame { WaitStuck = 1 },
            new Frame { WaitStuck = 7 },
            new Frame { Waits = new() { Number = 2, Task = waits.Id.Number, Ids = { ids }, Count = 3, HoldsTurn = true, Begun = { 11, 12 } } },
            new Frame { Waits = new() { Number = 3, Task = waits.Id.Number, Ids = { ids }, Count = 3, HoldsThread = true, UntilFault = true } });
        await Eventually.HoldsAsync(() => context.Needs.Count == 2);

        // A ref that the head does not know is none that it could wait for.
        Assert.All(context.Needs, need => Assert.Equal([known, more], need.Objects));
        Assert.Equal([true, false], context.Needs.Select(need => need.IsMet(reference => reference == known)));
        Assert.Equal([true, true], context.Needs.Select(need => need.IsMet(_ => true)));
        Assert.Equal([false, false], context.Needs.Select(need => need.IsMet(_ => false)));
        Assert.Same(RefWait.Thread, context.TurnWait!.Flow);

        await AnswerAsync(new Frame { WaitEnd = new() { Number = 3, Task = waits.Id.Number } });
        await Eventually.HoldsAsync(() => context.Needs.Count == 1);
        Assert.Equal([11, 12], context.TurnWait!.Begun);
    }

    void IRunListener.OnEnded(SentRun run, TimeSpan took)
    {
    }

    void IRunListener.OnReturned(SentRun run)
    {
    }

    void IRunListener.OnWaiting(SentRun run)
    {
    }

    void IRunListener.OnLost(SentRun run, string reason)
    {
        lost.TrySetResult(reason);
        run.Attempt.Failed(new WorkerDiedException(reason), isSystem: true);
    }

    private static Value OfNoType => new() { Format = (int)ValueFormat.Json, Type = "Nobody.Knows, Nobody" };

    private Value Seven => session.Values.Write(session.Values.Codec.Encode(typeof(int), 7, "it"), typeof(int));

    // No process has so high a number.
    private static Value OfADeadProcess => new()
    {
        Format = (int)ValueFormat.Elements,
        Segment = new() { ProcessId = int.MaxValue, FileDescriptor = 3, Name = "serve-dead", Length = 8 },
    };

    private bool MayGoToDisk(ObjectRef reference)
    {
        using var files = new SpillFiles(folder.FullName);
        return ((SharedObject)cluster.Codec.Of(reference)).TrySpill(files, out _);
    }

    private Task<FakeAttempt<int>> SendAsync() => SendAsync(new(typeof(Jobs), nameof(Jobs.Pid), false, new()));

    private Task<FakeAttempt<int>> SendInAsync(TaskContext context) =>
        SendThisAsync(new FakeAttempt<int>(cluster, new(typeof(Jobs), nameof(Jobs.Pid), false, new())) { Context = context });

    private Task<FakeAttempt<int>> SendAsync(RemoteFunction function, params object?[] arguments) => SendThisAsync(new FakeAttempt<int>(cluster, function, arguments));

    private async Task<FakeAttempt<int>> SendThisAsync(FakeAttempt<int> attempt)
    {
        session.Start(new(attempt, this));
        await ReadUntilAsync(Frame.BodyOneofCase.Run);
        return attempt;
    }

    private ValueTask AnswerAsync(params Frame[] frames)
    {
        var message = new Frames();
        message.Frames_.AddRange(frames);
        return there.WriteAsync(message);
    }

    private async Task<Frame> ReadUntilAsync(Frame.BodyOneofCase kind)
    {
        while (await there.ReadAsync().SoonAsync() is { } message)
        {
            if (message.Frames_.FirstOrDefault(frame => frame.BodyCase == kind) is { } found)
                return found;
        }

        throw new InvalidOperationException($"The head hung up before it sent a {kind}.");
    }

    private sealed class FakeContext(Cluster cluster) : TaskContext
    {
        public override Cluster Cluster => cluster;

        public override ObjectId TaskId => new(1);

        public List<ObjectNeed> Needs
        {
            get
            {
                var needs = new List<ObjectNeed>();
                AddWaits(needs);
                return needs;
            }
        }
    }
}
