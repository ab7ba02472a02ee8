using System.Runtime.CompilerServices;

namespace Serve.Runtime.Turns;

/// <summary>Awaitable that resumes on a dedicated thread.</summary>
internal readonly struct DedicatedThreadAwaiter(DedicatedSynchronizationContext context) : ICriticalNotifyCompletion
{
    public bool IsCompleted => false;

    public DedicatedThreadAwaiter GetAwaiter() => this;

    public void GetResult()
    {
    }

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation) => context.Run(new QueuedTurnCallback(continuation, null, null, true));
}
