using System.Runtime.CompilerServices;
using Microsoft.Extensions.Time.Testing;
using Serve.Calls;

namespace Serve.Abstractions.Tests.Handles;

public sealed class DeploymentResponseTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _clock = new();
    private readonly TaskCompletionSource<object?> _answer = new();
    private readonly FakeCallTarget _target = new();

    public DeploymentResponseTests() => _target.Answer = async (_, _, stop) => await _answer.Task.WaitAsync(stop);

    private DeploymentHandle Handle => new(_target, "X", new HandleCallOptions(null, null, null) { Clock = _clock });

    [Fact]
    public async Task Remote_StartsAtOnceAndCanBeAwaitedOften()
    {
        var response = Handle.Remote<int>(1);

        Assert.Single(_target.Calls);
        Assert.False(response.IsCompleted);
        _answer.SetResult(5);
        Assert.Equal((5, 5, 5), (await response, await response, await response.AsTask()));
        Assert.True(response.IsCompleted);
    }

    [Fact]
    public async Task Remote_CompletesSynchronously_IsDoneAtOnce()
    {
        _answer.SetResult(5);

        var response = Handle.Remote<int>(1);

        Assert.True(response.IsCompleted);
        Assert.Equal((5, 5), (await response, await response.AsTask()));
    }

    [Fact]
    public async Task Remote_TargetThrows_IsThrownByTheAwait()
    {
        var thrown = new OverloadedException("full", 1.Seconds);
        _target.Answer = (_, _, _) => throw thrown;
        var response = Handle.Remote<int>();

        Assert.Same(thrown, await Assert.ThrowsAsync<OverloadedException>(async () => await response));
        Assert.Same(thrown, await Assert.ThrowsAsync<OverloadedException>(response.AsTask));
    }

    [Fact]
    public async Task Cancel_Running_CancelsTheCallee()
    {
        var response = Handle.Remote<int>();

        response.Cancel();

        Assert.True(response.IsCompleted);
        Assert.True(_target.Calls[0].Stop.IsCancellationRequested);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await response);
    }

    [Fact]
    public async Task Cancel_CalleeThatDoesNotListen_EndsTheResponseAllTheSame()
    {
        _target.Answer = async (_, _, _) => await _answer.Task;
        var response = Handle.Remote<int>();

        response.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await response.AsTask().WaitAsync(Bound));
        _answer.SetResult(1);
    }

    [Fact]
    public async Task Cancel_Ended_ChangesNothing()
    {
        var response = Handle.Remote<int>();
        _answer.SetResult(5);
        await response;

        response.Cancel();

        Assert.Equal(5, await response);
        Assert.False(_target.Calls[0].Stop.IsCancellationRequested);
    }

    [Fact]
    public async Task Cancel_EndedSynchronously_ChangesNothing()
    {
        _answer.SetResult(5);
        var response = Handle.Remote<int>();

        response.Cancel();

        Assert.Equal(5, await response);
        Assert.False(_target.Calls[0].Stop.IsCancellationRequested);
    }

    [Fact]
    public async Task Timeout_Passes_CancelsTheCalleeAndFails()
    {
        var response = Handle.Options(timeout: 2.Seconds).Remote<int>();
        _clock.Advance(1.9.Seconds());
        Assert.False(response.IsCompleted);

        _clock.Advance(0.2.Seconds());

        var error = await Assert.ThrowsAsync<RequestTimeoutException>(async () => await response);
        Assert.Equal("The call exceeded its timeout of 2 s and was canceled.", error.Message);
        Assert.True(_target.Calls[0].Stop.IsCancellationRequested);
    }

    [Fact]
    public async Task Timeout_AnsweredInTime_NeverFires()
    {
        var response = Handle.Options(timeout: 2.Seconds).Remote<int>();
        _answer.SetResult(5);
        Assert.Equal(5, await response);

        _clock.Advance(10.Seconds);

        Assert.False(_target.Calls[0].Stop.IsCancellationRequested);
        Assert.Equal(5, await response);
    }

    [Fact]
    public async Task Timeout_CancelledFirst_IsCancelled()
    {
        var response = Handle.Options(timeout: 2.Seconds).Remote<int>();

        response.Cancel();
        _clock.Advance(10.Seconds);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await response);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(60 * 60 * 24 * 50)]
    public void Timeout_OutOfRange_IsRefused(int seconds)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Handle.Options(timeout: seconds.Seconds));

        Assert.StartsWith("A timeout must be longer than zero and shorter than 49 days. Omit it for no timeout.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task CalleeCancelsItself_IsCancelled()
    {
        _target.Answer = (_, _, _) => throw new OperationCanceledException();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await Handle.Remote<int>());
    }

    [Fact]
    public async Task Argument_Response_IsAwaitedBeforeTheCallStarts()
    {
        var (first, second) = (new FakeCallTarget(), Handle);
        var pending = new TaskCompletionSource<object?>();
        first.Answer = async (_, _, _) => await pending.Task;
        _answer.SetResult("done");

        var outer = second.Remote<string>("a", new DeploymentHandle(first, "First").Remote<int>(), "c");
        Assert.Empty(_target.Calls);
        pending.SetResult(7);

        Assert.Equal("done", await outer);
        Assert.Equal(["a", 7, "c"], _target.Calls[0].Arguments);
    }

    [Fact]
    public async Task Argument_FailedResponse_FailsTheOuterCallWithTheSameException()
    {
        var thrown = new UserCodeException(new InvalidOperationException("boom"));
        var first = new FakeCallTarget { Answer = (_, _, _) => throw thrown };

        var outer = Handle.Remote<string>(new DeploymentHandle(first, "First").Remote<int>());

        Assert.Same(thrown, await Assert.ThrowsAsync<UserCodeException>(async () => await outer));
        Assert.Empty(_target.Calls);
    }

    [Fact]
    public async Task Argument_CancelWhileWaiting_EndsTheOuterCallAndLeavesTheInnerOne()
    {
        var first = new FakeCallTarget();
        var pending = new TaskCompletionSource<object?>();
        first.Answer = async (_, _, stop) => await pending.Task.WaitAsync(stop);
        var inner = new DeploymentHandle(first, "First").Remote<int>();
        var outer = Handle.Remote<string>(inner);

        outer.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await outer);
        Assert.False(inner.IsCompleted);
        pending.SetResult(3);
        Assert.Equal(3, await inner);
        Assert.Empty(_target.Calls);
    }

    [Fact]
    public async Task Argument_TimeoutCountsTheWaiting()
    {
        var first = new FakeCallTarget { Answer = async (_, _, _) => await new TaskCompletionSource<object?>().Task };
        var outer = Handle.Options(timeout: 1.Seconds).Remote<string>(new DeploymentHandle(first, "First").Remote<int>());

        _clock.Advance(2.Seconds);

        await Assert.ThrowsAsync<RequestTimeoutException>(async () => await outer);
    }

    [Fact]
    public async Task Request_IdAndCancellation_AreInherited()
    {
        using var client = new CancellationTokenSource();
        RequestContext.Current = new RequestContext(new CallContext { RequestId = "r1", MultiplexedModelId = "m1" }, client.Token);
        var response = Handle.Remote<int>();

        Assert.Equal(new CallContext { RequestId = "r1" }, _target.Calls[0].Context);
        Assert.False(_target.Calls[0].Stop.IsCancellationRequested);
        await client.CancelAsync();

        Assert.True(_target.Calls[0].Stop.IsCancellationRequested);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await response);
    }

    [Fact]
    public async Task Request_AlreadyAborted_CancelsTheCallAtOnce()
    {
        RequestContext.Current = new RequestContext(CallContext.None, new CancellationToken(canceled: true));

        var response = Handle.Remote<int>();

        Assert.True(_target.Calls[0].Stop.IsCancellationRequested);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await response);
    }

    [Fact]
    public async Task Request_EndedCall_LetsGoOfTheRequest()
    {
        using var client = new CancellationTokenSource();
        RequestContext.Current = new RequestContext(CallContext.None, client.Token);
        _answer.SetResult(5);
        var response = Handle.Remote<int>();

        await client.CancelAsync();

        Assert.False(_target.Calls[0].Stop.IsCancellationRequested);
        Assert.Equal(5, await response);
    }

    [Fact]
    public async Task Request_AlreadyAbortedAndCalleeDoesNotListen_EndsAllTheSame()
    {
        _target.Answer = async (_, _, _) => await _answer.Task;
        RequestContext.Current = new RequestContext(CallContext.None, new CancellationToken(canceled: true));

        var response = Handle.Remote<int>();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await response.AsTask().WaitAsync(Bound));
    }

    [Fact]
    public void Request_ThatLastsLong_DoesNotKeepEndedCalls()
    {
        using var client = new CancellationTokenSource();
        _answer.SetResult(5);

        var response = CallWithin(client.Token);
        GC.Collect();

        Assert.False(response.TryGetTarget(out _));
    }

    [Fact]
    public void Options_WinOverTheRequest_AndAreMergedKeyByKey()
    {
        RequestContext.Current = new RequestContext(new CallContext { RequestId = "r1" }, default);

        _ = Handle.Options(multiplexedModelId: "m2").Options(requestId: "r2").Remote<int>();
        _ = Handle.Method("Other").Options(multiplexedModelId: "m3").Remote<int>();

        Assert.Equal(new CallContext { RequestId = "r2", MultiplexedModelId = "m2" }, _target.Calls[0].Context);
        Assert.Equal(("Other", new CallContext { RequestId = "r1", MultiplexedModelId = "m3" }), (_target.Calls[1].Method, _target.Calls[1].Context));
    }

    [Fact]
    public void Options_DeadlineAndPriority_AreInheritedAndTheEarlierDeadlineApplies()
    {
        var inherited = new CallUrgency(0, 3).Within(10.Seconds, _clock);
        RequestContext.Current = new RequestContext(new CallContext { RequestId = "r1", RoutingKey = "k", Urgency = inherited }, default);

        _ = Handle.Remote<int>();
        _ = Handle.Options(timeout: 1.Seconds, routingKey: "other").Remote<int>();
        _ = Handle.Options(timeout: 60.Seconds, priority: -2).Remote<int>();
        RequestContext.Current = null;
        _ = Handle.Options(timeout: 2.Seconds).Remote<int>();

        Assert.Equal(new CallContext { RequestId = "r1", Urgency = inherited }, _target.Calls[0].Context);
        Assert.Equal(new CallContext { RequestId = "r1", RoutingKey = "other", Urgency = inherited.Within(1.Seconds, _clock) }, _target.Calls[1].Context);
        Assert.Equal(new CallContext { RequestId = "r1", Urgency = inherited with { Priority = -2 } }, _target.Calls[2].Context);
        Assert.Equal(2.Seconds, _target.Calls[3].Context.Urgency.RemainingTime(_clock));
    }

    [Theory]
    [InlineData(-11)]
    [InlineData(11)]
    public void Options_PriorityOutOfRange_IsAnError(int priority)
    {
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => Handle.Options(priority: priority));

        Assert.Contains("A priority must be between -10 and 10.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Remote_NullAlone_IsOneArgument()
    {
        _ = Handle.Remote<int>(null);

        Assert.Equal([null], _target.Calls[0].Arguments);
    }

    // Not inlined, so that no local of the test's keeps the response alive.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference<DeploymentResponse<int>> CallWithin(CancellationToken aborted)
    {
        RequestContext.Current = new RequestContext(CallContext.None, aborted);
        var fake = new FakeCallTarget { Answer = (_, _, _) => ValueTask.FromResult<object?>(5) };
        var response = new DeploymentHandle(fake, "X").Remote<int>();
        RequestContext.Current = null;
        return new(response);
    }

    [Fact]
    public async Task CancelAndAnswer_AtTheSameTime_EndOnceAndNeverHang()
    {
        for (var i = 0; i < 500; i++)
        {
            var racing = new TaskCompletionSource<object?>();
            var fake = new FakeCallTarget { Answer = async (_, _, stop) => await racing.Task.WaitAsync(stop) };
            var response = new DeploymentHandle(fake, "X").Remote<int>();
            using var gate = new Barrier(2);
            var cancel = Task.Run(() => { gate.SignalAndWait(); response.Cancel(); });
            gate.SignalAndWait();
            racing.TrySetResult(1);
            await cancel;

            var ended = await Record.ExceptionAsync(() => response.AsTask().WaitAsync(Bound));

            Assert.True(ended is null or OperationCanceledException, ended?.ToString());
        }
    }
}

internal static class HandleTestDurations
{
    public static TimeSpan Seconds(this double amount) => TimeSpan.FromSeconds(amount);
}
