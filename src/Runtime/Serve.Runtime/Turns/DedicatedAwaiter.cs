using System.Runtime.CompilerServices;

namespace Serve.Runtime.Turns;

/// <summary>Awaiting it resumes on a dedicated thread.</summary>
internal readonly struct DedicatedAwaiter(DedicatedContext context) : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public DedicatedAwaiter GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) => context.Run(new QueuedTurn(continuation, null, null, true));
}
