using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Tasks;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Nodes;
using Serve.Runtime.Workers.Processes;
using Serve.Runtime.Workers.Topics;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Tests.Connections;

/// <summary>The driver's handling of invalid frames of a worker.</summary>
public sealed class WorkerConnectionTests : IAsyncLifetime, IAsyncDisposable, IDispatchedTaskListener
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("serve-head-session-tests");
    private readonly DriverCluster _cluster = new(new() { NumCpus = 1, Isolation = Isolation.Process }, ProgramWorkerLauncher.StartWorkers);
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<FrameStream> _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly PooledWorker _worker;
    private WorkerConnection _session = null!;
    private FrameStream _there = null!;
    private FrameSocketTransport.Listener _listener = null!;

    public WorkerConnectionTests() =>
        _worker = new("worker", "none.log", new(new(), new ProcessConnectionPool(), new TopicPublicationStore(new ActivatorServiceProvider()), null, TimeProvider.System, NullLogger<WorkerProcessPool>.Instance), new ProcessConnectionPool());

    public async Task InitializeAsync()
    {
        _listener = new("token", (stream, _) =>
        {
            _connected.SetResult(stream);
            return _over.Task;
        });
        var here = await FrameSocketTransport.ConnectAsync(_listener.Address, "token", ConnectionPurpose.Cluster, CancellationToken.None);
        _there = await _connected.Task.SoonAsync();
        _session = new(new PooledWorkerLease(_worker), here, new(_cluster));
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        _worker.Ended.TrySetResult("It ended.");
        _session.Dispose();
        _listener.Dispose();
        _over.SetResult();
        await _cluster.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Start_CancelledBefore_IsNeverSent()
    {
        var cancelled = new FakeTaskAttempt<int>(_cluster, new(typeof(Jobs), nameof(Jobs.Pid), false, new()));
        await cancelled.Cancellation.CancelAsync();
        var other = new FakeTaskAttempt<int>(_cluster, new(typeof(Jobs), nameof(Jobs.Pid), false, new()));

        _session.Start(new(cancelled, this));
        _session.Start(new(other, this));

        Assert.Equal(other.Id.Number, (await ReadUntilAsync(Frame.BodyOneofCase.Run)).Run.Id);
        await Assert.ThrowsAsync<OperationCanceledException>(() => cancelled.Result.SoonAsync());
        Assert.Equal(1, _session.Count);
    }

    [Fact]
    public async Task Start_SharedArgument_StaysInMemoryUntilTheAnswer()
    {
        var put = _cluster.Put(new double[50_000]);
        var run = await SendAsync(new(typeof(ArrayJobs), nameof(ArrayJobs.First), false, new()), _cluster.Codec.EncodeObject(put));
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
        var put = _cluster.Put(new double[50_000]);
        _session.Lent.Add(put);
        await AnswerAsync(new Frame { Demand = new() { Number = 1, Id = put.Id.Number } });
        Assert.Equal(1, (await ReadUntilAsync(Frame.BodyOneofCase.Ready)).Ready.Number);
        Assert.False(MayGoToDisk(put));

        if (dies)
        {
            _worker.Ended.SetResult("It was killed.");
            _there.Dispose();
        }
        else
        {
            await AnswerAsync(new Frame { Taken = 1 });
        }

        await Eventually.TrueAsync(() => MayGoToDisk(put));
    }

    [Fact]
    public async Task Done_MemoryOfAWorkerThatIsDead_RunIsLostAsTheOthersAre()
    {
        var (answered, other) = (await SendAsync(), await SendAsync());

        await AnswerAsync(new Frame { Done = new() { Id = answered.Id.Number, Value = OfADeadProcess } });
        _worker.Ended.SetResult("It was killed.");

        Assert.Equal("It was killed.", await _lost.Task.SoonAsync());
        await Assert.ThrowsAsync<WorkerDiedException>(() => answered.Result.SoonAsync());
        await Assert.ThrowsAsync<WorkerDiedException>(() => other.Result.SoonAsync());
    }

    [Fact]
    public async Task Put_MemoryOfAWorkerThatIsDead_ItsRunsAreLost()
    {
        var running = await SendAsync();

        await AnswerAsync(new Frame { Put = new() { Id = 1L << 40, Value = OfADeadProcess, Type = typeof(double[]).AssemblyQualifiedName } });
        _worker.Ended.SetResult("It was killed.");

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

        Assert.Contains("Missing.Type", (await ReadUntilAsync(Frame.BodyOneofCase.Ready)).Ready.Error.Message, StringComparison.Ordinal);
        Assert.IsType<NotSerializableException>(_session.Lent.Find(Id)!.Error);
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
        Assert.Equal(0, _session.Count);
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
        var context = new RecordingTaskContext(_cluster);
        var waits = await SendInAsync(context);
        await AnswerAsync(new Frame { Waits = new() { Number = 1, Task = waits.Id.Number, HoldsThread = true } });
        await Eventually.TrueAsync(() => context.IsWaiting);

        _worker.Ended.SetResult("It was killed.");
        _there.Dispose();

        await Eventually.TrueAsync(() => !context.IsWaiting);
    }

    [Fact]
    public async Task Waits_Reported_AddDependencies()
    {
        var context = new RecordingTaskContext(_cluster);
        var waits = await SendInAsync(context);
        var (known, more) = (new ObjectRef<int>(_cluster, _cluster.NextId()), new ObjectRef<int>(_cluster, _cluster.NextId()));
        _session.Lent.Add(known);
        _session.Lent.Add(more);
        var ids = new[] { known.Id.Number, more.Id.Number, 1L << 40 };
        await AnswerAsync(
            new Frame { Waits = new() { Number = 1, Task = waits.Id.Number, Ids = { ids }, Count = 3 } },
            new Frame { WaitStuck = 1 },
            new Frame { WaitStuck = 7 },
            new Frame { Waits = new() { Number = 2, Task = waits.Id.Number, Ids = { ids }, Count = 3, HoldsTurn = true, Begun = { 11, 12 } } },
            new Frame { Waits = new() { Number = 3, Task = waits.Id.Number, Ids = { ids }, Count = 3, HoldsThread = true, UntilFault = true } });
        await Eventually.TrueAsync(() => context.TurnWait?.Flow == ObjectRefWait.Thread);

        // An object that the driver does not know is not waited for. The third wait ends with the first failure.
        Assert.Equal([known, more], context.Needs.Select(dependency => dependency.Target));
        more.TrySetResult(1);
        Assert.Equal([known, known], context.Needs.Select(dependency => dependency.Target));

        await AnswerAsync(new Frame { WaitEnd = new() { Number = 3, Task = waits.Id.Number } });
        await Eventually.TrueAsync(() => context.Needs.Count == 1);
        Assert.Equal([11, 12], context.TurnWait!.Begun);
    }

    void IDispatchedTaskListener.OnEnded(DispatchedTask run, TimeSpan took)
    {
    }

    void IDispatchedTaskListener.OnReturned(DispatchedTask run)
    {
    }

    void IDispatchedTaskListener.OnWaiting(DispatchedTask run)
    {
    }

    void IDispatchedTaskListener.OnLost(DispatchedTask run, string reason)
    {
        _lost.TrySetResult(reason);
        run.Attempt.ReportFailure(new WorkerDiedException(reason), isSystem: true);
    }

    private static Value OfNoType => new() { Format = (int)EncodedValueFormat.Json, Type = "Missing.Type, Missing" };

    private Value Seven => _session.Values.Write(_session.Values.Codec.Encode(typeof(int), 7, "it"), typeof(int));

    // No process has so high a number.
    private static Value OfADeadProcess => new()
    {
        Format = (int)EncodedValueFormat.Elements,
        Segment = new() { ProcessId = int.MaxValue, FileDescriptor = 3, Name = "serve-dead", Length = 8 },
    };

    private bool MayGoToDisk(ObjectRef reference)
    {
        using var files = new ObjectSpillFiles(_folder.FullName);
        return ((SharedMemoryObject)_cluster.Codec.EncodeObject(reference)).TrySpill(files, out _);
    }

    private Task<FakeTaskAttempt<int>> SendAsync() => SendAsync(new(typeof(Jobs), nameof(Jobs.Pid), false, new()));

    private Task<FakeTaskAttempt<int>> SendInAsync(TaskContext context) =>
        SendThisAsync(new FakeTaskAttempt<int>(_cluster, new(typeof(Jobs), nameof(Jobs.Pid), false, new())) { Context = context });

    private Task<FakeTaskAttempt<int>> SendAsync(RemoteFunction function, params object?[] arguments) => SendThisAsync(new FakeTaskAttempt<int>(_cluster, function, arguments));

    private async Task<FakeTaskAttempt<int>> SendThisAsync(FakeTaskAttempt<int> attempt)
    {
        _session.Start(new(attempt, this));
        await ReadUntilAsync(Frame.BodyOneofCase.Run);
        return attempt;
    }

    private ValueTask AnswerAsync(params Frame[] frames)
    {
        var message = new Frames();
        message.Frames_.AddRange(frames);
        return _there.WriteAsync(message);
    }

    private async Task<Frame> ReadUntilAsync(Frame.BodyOneofCase kind)
    {
        while (await _there.ReadAsync().SoonAsync() is { } message)
        {
            if (message.Frames_.FirstOrDefault(frame => frame.BodyCase == kind) is { } found)
                return found;
        }

        throw new InvalidOperationException($"The head hung up before it sent a {kind}.");
    }

    private sealed class RecordingTaskContext(Cluster cluster) : TaskContext
    {
        public override Cluster Cluster => cluster;

        public override ObjectId TaskId => new(1);

        public List<ObjectDependency> Needs
        {
            get
            {
                var needs = new List<ObjectDependency>();
                AddWaits(needs);
                return needs;
            }
        }
    }
}
