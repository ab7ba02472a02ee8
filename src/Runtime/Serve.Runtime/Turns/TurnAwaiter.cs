using System.Runtime.CompilerServices;

namespace Serve.Runtime.Turns;

/// <summary>Awaiting it resumes inside a turn.</summary>
internal readonly struct TurnAwaiter(TurnBasedTurns turns, bool blocking) : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public TurnAwaiter GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) => turns.Enqueue(new QueuedTurn(continuation, null, null, blocking));
}
