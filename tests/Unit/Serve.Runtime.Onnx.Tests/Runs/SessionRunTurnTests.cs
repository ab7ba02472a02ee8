using System.Diagnostics;
using Serve.Runtime.Onnx.Runs;
using Serve.Runtime.Onnx.Sessions;
using Serve.Runtime.Onnx.Tests.Fixtures;

namespace Serve.Runtime.Onnx.Tests.Runs;

/// <summary>Threads, concurrency and cancellation of runs.</summary>
public sealed class SessionRunTurnTests : IDisposable
{
    // Long enough to be canceled, and much longer than any of these tests otherwise.
    private const int Endless = 4000;
    private static readonly Tensor Large = Tensor.Of(new float[512 * 512], 512, 512);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly OnnxTestModels _models = new();

    public void Dispose() => _models.Dispose();

    [Fact]
    public async Task RunAsync_QuickModel_IsDoneWhenItReturns()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());
        var input = Tensor.Of(new float[4], 1, 4);
        for (var run = 0; run < 50; run++)
            (await model.RunAsync([("x", input)])).Dispose();

        var done = 0;
        for (var run = 0; run < 50; run++)
        {
            var running = model.RunAsync([("x", input)]);
            done += running.IsCompletedSuccessfully ? 1 : 0;
            (await running).Dispose();
        }

        Assert.True(done > 0, "none of 50 quick runs was done on the calling thread");
    }

    [Fact]
    public async Task RunAsync_SlowModel_LeavesTheCallersThread()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Slow(40));

        for (var run = 0; run < 3; run++)
        {
            var running = model.RunAsync([("x", Large)]);
            Assert.False(running.IsCompleted);
            (await running).Dispose();
        }
    }

    [Fact]
    public async Task RunAsync_Cancelled_EndsTheRunAndTheNextIsWell()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Slow(Endless));
        using var leave = new CancellationTokenSource();
        var running = model.RunAsync([("x", Large)], null, leave.Token).AsTask();
        await Eventually.TrueAsync(() => GateOf(model).Running == 1);

        var started = Stopwatch.GetTimestamp();
        await leave.CancelAsync();
        var cancelled = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(leave.Token, cancelled.CancellationToken);
        await Eventually.TrueAsync(() => GateOf(model).Running == 0);

        // A terminated run does not terminate later runs.
        for (var run = 0; run < 4; run++)
            (await model.RunAsync([("x", Tensor.Of(new float[4], 2, 2))])).Dispose();
        Assert.True(Stopwatch.GetElapsedTime(started) < Limit);
    }

    [Fact]
    public async Task RunAsync_AlreadyCancelled_DoesNotRun()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());

        var running = model.RunAsync([("x", Tensor.Of(new float[4], 1, 4))], null, new CancellationToken(true));
        Assert.True(running.IsCanceled);
    }

    [Fact]
    public async Task RunAsync_OneAtATime_OthersWaitAndLeaveWhenCancelled()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Slow(Endless), new OnnxOptions { MaxConcurrentRuns = 1 });
        var gate = GateOf(model);
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        var running = model.RunAsync([("x", Large)], null, first.Token).AsTask();
        var leaving = model.RunAsync([("x", Large)], null, second.Token).AsTask();
        var waiting = Enumerable.Range(2, 5).Select(SmallAsync).ToArray();
        Assert.Equal((1, 6), (gate.Running, gate.Waiting));

        await second.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        Assert.Equal((1, 5), (gate.Running, gate.Waiting));
        Assert.False(running.IsCompleted);
        await first.CancelAsync();

        await Task.WhenAll(waiting);
        Assert.Equal((0, 0), (gate.Running, gate.Waiting));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        async Task SmallAsync(int number) => (await model.RunAsync([("x", Tensor.Of(new float[number * number], number, number))])).Dispose();
    }

    [Fact]
    public void Exit_SeveralWait_TheFirstThatCameHasThePlace()
    {
        var gate = new SessionRunLimiter(1);
        Assert.True(gate.TryEnter());
        var waiting = Enumerable.Range(0, 4).Select(_ => new QueuedSessionRun(null!, null!, null!, [], static () => { }, default)).ToArray();
        Assert.All(waiting, run => Assert.False(gate.Enter(run)));

        Assert.Same(waiting[0], gate.Exit());
        Assert.True(gate.Remove(waiting[1]));
        Assert.False(gate.Remove(waiting[1]));
        Assert.False(gate.TryEnter());
        Assert.Same(waiting[2], gate.Exit());
        Assert.Same(waiting[3], gate.Exit());
        Assert.Null(gate.Exit());
        Assert.True(gate.TryEnter());
    }

    [Fact]
    public async Task Dispose_RunsUnderWay_WaitsForThemAndRefusesThoseThatWait()
    {
        var model = await _models.LoadAsync(OnnxTestModel.Slow(60), new OnnxOptions { MaxConcurrentRuns = 1 });
        var running = model.RunAsync([("x", Large)]).AsTask();
        var waiting = model.RunAsync([("x", Large)]).AsTask();

        await Task.Run(model.Dispose).WaitAsync(Limit);

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
        using var outputs = await running;
        Assert.Equal(512 * 512, outputs["y"].Count);
    }

    [Fact]
    public async Task Dispose_OneOfTwoModels_LeavesTheOthersRuns()
    {
        var one = await _models.LoadAsync(OnnxTestModel.Slow(61), new OnnxOptions { MaxConcurrentRuns = 1 });
        using var two = await _models.LoadAsync(OnnxTestModel.Slow(61), new OnnxOptions { MaxConcurrentRuns = 1 });
        var running = two.RunAsync([("x", Large)]).AsTask();
        var waiting = two.RunAsync([("x", Large)]).AsTask();

        await Task.Run(one.Dispose).WaitAsync(Limit);

        (await running).Dispose();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task RunAsync_ManyAtATime_EachGetsItsOwn()
    {
        using var model = await _models.LoadAsync(OnnxTestModel.Doubles());

        await Task.WhenAll(Enumerable.Range(0, 8).Select(caller => Task.Run(async () =>
        {
            for (var run = 0; run < 300; run++)
            {
                var rows = (run % 3) + 1;
                var data = Enumerable.Repeat((float)((caller * 1000) + run), rows * 4).ToArray();
                using var outputs = await model.RunAsync([("x", Tensor.Of(data, rows, 4))]);
                Assert.Equal(data.Select(each => each * 2), outputs["y"].ToArray<float>());
            }
        })));
    }

    private static SharedOnnxSession SessionOf(OnnxModel model) => ((SharedSessionModel)model).Session;

    private static SessionRunLimiter GateOf(OnnxModel model) => SessionOf(model).Runner.Gate;
}
