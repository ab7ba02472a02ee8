using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Clusters;
using Serve.Runtime.CoreActors;
using Serve.Runtime.Rpc;
using Serve.Runtime.Serialization;
using Serve.Runtime.Sessions;
using Serve.Runtime.TestWorker;
using Serve.Runtime.Tests.Testing;
using Serve.Runtime.Topics;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers;

namespace Serve.Runtime.Tests.Sessions;

/// <summary>What the head makes of a worker's messages that it cannot take as they are.</summary>
public sealed class HeadSessionTests : IAsyncLifetime, IAsyncDisposable, IRunListener
{
    private readonly HeadCluster cluster = new(new() { NumCpus = 1 });
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

    private async Task<FakeAttempt<int>> SendAsync()
    {
        var attempt = new FakeAttempt<int>(cluster, new(typeof(Jobs), nameof(Jobs.Pid), false, new()));
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
}
