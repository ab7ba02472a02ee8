using System.Runtime.CompilerServices;

namespace Serve.Runtime.Turns;

/// <summary>Awaitable that resumes inside a turn.</summary>
internal readonly struct TurnEntryAwaiter(TurnBasedScheduler turns, bool blocking, bool urgent = false) : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public TurnEntryAwaiter GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) => turns.Enqueue(new QueuedTurnCallback(continuation, null, null, blocking, urgent));
}
