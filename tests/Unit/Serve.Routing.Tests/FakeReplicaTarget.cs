using System.Runtime.CompilerServices;
using Serve.Calls;
using Serve.Routes;

namespace Serve.Routing.Tests;

/// <summary>A replica that answers calls immediately by default, later if the test asks for it, and refuses calls on request or above its own limit.</summary>
internal sealed class FakeReplicaTarget(string id, int limit = int.MaxValue) : ICallTarget
{
    private int _ongoing;

    public string Id => id;

    public int Calls;

    public int MostOngoing;

    public bool Refuses { get; set; }

    public bool IsGone { get; set; }

    public Exception? Throws { get; set; }

    public TaskCompletionSource? Hold { get; set; }

    public Func<int, Task>? Work { get; set; }

    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        if (Refuses || IsGone)
            throw new CallRefusedException(id, IsGone);
        if (Throws is { } error)
            throw error;
        Interlocked.Increment(ref Calls);
        return Hold is null && Work is null ? new((TResult)(object)id) : HeldAsync<TResult>(cancellationToken);
    }

    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (Refuses || IsGone)
            throw new CallRefusedException(id, IsGone);
        await Task.Yield();
        for (var i = 0; i < 3; i++)
        {
            if (i == 1 && Throws is { } error)
                throw error;
            yield return (TItem)(object)id;
        }
    }

    public ReplicaRoute Route => new(id, new ReplicaAddress(new("n1"), "here"));

    private async ValueTask<TResult> HeldAsync<TResult>(CancellationToken cancellationToken)
    {
        var now = Interlocked.Increment(ref _ongoing);
        try
        {
            if (now > limit)
                throw new CallRefusedException(id, gone: false);
            InterlockedMax(ref MostOngoing, now);
            if (Work is { } work)
                await work(Calls);
            if (Hold is { } hold)
                await hold.Task.WaitAsync(cancellationToken);
            return (TResult)(object)id;
        }
        finally
        {
            Interlocked.Decrement(ref _ongoing);
        }
    }

    private static void InterlockedMax(ref int place, int value)
    {
        var seen = Volatile.Read(ref place);
        while (seen < value)
        {
            var found = Interlocked.CompareExchange(ref place, value, seen);
            if (found == seen)
                return;
            seen = found;
        }
    }
}
