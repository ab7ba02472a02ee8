using Microsoft.Extensions.Time.Testing;
using Serve.Calls;

namespace Serve.Abstractions.Tests.Handles;

public sealed class TypedHandleTests
{
    private readonly FakeTimeProvider _clock = new();
    private readonly FakeCallTarget _target = new(new Calculator());

    private DeploymentHandle<Calculator> Handle => new(_target, "Calculator", new HandleCallOptions(null, null, null) { Clock = _clock });

    [Fact]
    public async Task Remote_EachNumberOfArguments_ArrivesUnchanged()
    {
        Assert.Equal(9, await Handle.Square.Remote(3));
        Assert.Equal(5, await Handle.Add.Remote(2, 3));
        Assert.Equal("1 b 2.5 True", await Handle.Join.Remote(1, "b", 2.5, true));
        Assert.Equal([0, 1, 2], await Handle.Items.Stream(3).ToListAsync());
        Assert.Equal(["Square", "Add", "Join", "Items"], _target.Calls.Select(call => call.Method));
    }

    [Fact]
    public async Task Remote_ResponsesAmongTheArguments_AreAwaitedFirst()
    {
        Assert.Equal(81, await Handle.Square.Remote(Handle.Square.Remote(3)));
        Assert.Equal(13, await Handle.Add.Remote(Handle.Square.Remote(3), 4));
        Assert.Equal(13, await Handle.Add.Remote(4, Handle.Square.Remote(3)));
        Assert.Equal("9 b 2.5 16", await Handle.Join.Remote(Handle.Square.Remote(3), "b", 2.5, Handle.Square.Remote(4)));
        Assert.Equal([0, 1, 2, 3], await Handle.Items.Stream(Handle.Square.Remote(2)).ToListAsync());
    }

    [Fact]
    public async Task Remote_ResponseForAnObjectOrABaseType_IsAwaitedToo()
    {
        Assert.Equal(9, await Handle.Same.Remote(Handle.Square.Remote(3)));
        Assert.Equal(4, await Handle.Count.Remote(Handle.Range.Remote(4)));
        Assert.Equal(2, await Handle.Count.Remote([1, 2]));
        Assert.Null(await Handle.Same.Remote(null));
    }

    [Fact]
    public async Task Remote_FailedArgument_FailsWithTheSameException()
    {
        var inner = Handle.Fail.Remote(1);

        var outer = await Assert.ThrowsAsync<InvalidOperationException>(async () => await Handle.Add.Remote(2, inner));

        Assert.Same(await Assert.ThrowsAsync<InvalidOperationException>(async () => await inner), outer);
    }

    [Fact]
    public async Task Remote_MethodThrowsAtOnce_IsThrownByTheAwait()
    {
        var response = Handle.Fail.Remote(1);

        Assert.Equal("no 1", (await Assert.ThrowsAsync<InvalidOperationException>(async () => await response)).Message);
    }

    [Fact]
    public async Task Remote_AnotherClass_IsCalledByName()
    {
        var other = new FakeCallTarget(new object()) { Answer = (_, arguments, _) => ValueTask.FromResult<object?>(arguments[0]) };

        Assert.Equal(3, await new DeploymentHandle<Calculator>(other, "Calculator").Square.Remote(3));
    }

    [Fact]
    public async Task Options_OfHandleAndMethod_ReachTheCallee()
    {
        await Handle.Options(requestId: "r1").Square.Options(multiplexedModelId: "m1").Remote(3);

        Assert.Equal(new CallContext { RequestId = "r1", MultiplexedModelId = "m1" }, _target.Calls[0].Context);
    }

    [Fact]
    public async Task Cancel_ReachesTheMethodsToken()
    {
        var response = Handle.Hang.Remote();

        response.Cancel();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await response);
        Assert.True(_target.Calls[0].Stop.IsCancellationRequested);
    }

    [Fact]
    public async Task ToDeploymentHandle_KeepsTheOptions()
    {
        DeploymentHandle byName = Handle.Options(requestId: "r1");

        await byName.Method("Square").Remote<object?>(3);

        Assert.Equal("r1", _target.Calls[0].Context.RequestId);
        Assert.Equal("Calculator", byName.Name);
    }

    [Fact]
    public async Task Stream_Timeout_CountsTheWholeStream()
    {
        await using var items = Handle.Slow.Options(timeout: 2.Seconds).Stream().GetAsyncEnumerator();
        Assert.True(await items.MoveNextAsync());
        var next = items.MoveNextAsync().AsTask();

        _clock.Advance(3.Seconds);

        var error = await Assert.ThrowsAsync<RequestTimeoutException>(() => next.WaitAsync(10.Seconds));
        Assert.Equal("The call exceeded its timeout of 2 s and was canceled.", error.Message);
    }

    [Fact]
    public async Task Stream_RequestAborted_EndsTheStream()
    {
        using var client = new CancellationTokenSource();
        RequestContext.Current = new RequestContext(new CallContext { RequestId = "r1" }, client.Token);
        await using var items = Handle.Slow.Stream().GetAsyncEnumerator();
        Assert.True(await items.MoveNextAsync());
        var next = items.MoveNextAsync().AsTask();

        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next.WaitAsync(10.Seconds));
        Assert.Equal("r1", _target.Calls[0].Context.RequestId);
    }

    [Fact]
    public async Task Stream_NotEnumerated_CallsNothing()
    {
        var items = Handle.Items.Stream(1);
        Assert.Empty(_target.Calls);

        Assert.Equal([0], await items.ToListAsync());
        Assert.Equal([0], await items.ToListAsync());
        Assert.Equal(2, _target.Calls.Count);
    }

    [Fact]
    public async Task Remote_InThisProcess_AllocatesLittle()
    {
        var handle = new DeploymentHandle<Calculator>(new DirectCallTarget(new Calculator()), "Calculator");
        for (var i = 0; i < 100; i++)
            await handle.Square.Remote(i);

        const int Calls = 1000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Calls; i++)
            await handle.Square.Remote(i);
        var each = (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;

        // The budget of a whole call is 200; the rest is the runtime's.
        Assert.True(each <= 152, $"{each} bytes a call");
    }

    private sealed class DirectCallTarget(object instance) : ICallTarget
    {
        public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
            call.TryInvoke(instance, cancellationToken, out var result) ? result : throw new InvalidOperationException("by name");

        public IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
            throw new NotSupportedException();
    }
}
