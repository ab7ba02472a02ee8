namespace Serve.Runtime.Turns;

/// <summary>Synchronization context that runs continuations of user code as turns of its actor.</summary>
/// <param name="turns">The actor's turn scheduler.</param>
/// <param name="blocking">Whether the awaiting code is blocking code, whose continuations need a dedicated thread as well.</param>
/// <param name="urgent">Whether the awaiting code is urgent, whose continuations start before waiting turns as well.</param>
internal sealed class TurnSynchronizationContext(TurnBasedScheduler turns, bool blocking, bool urgent = false) : SynchronizationContext
{
    public TurnBasedScheduler Turns => turns;

    public override void Post(SendOrPostCallback d, object? state) =>
        turns.Enqueue(new QueuedTurnCallback(d, state, ExecutionContext.Capture(), blocking, urgent));

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (Current != this)
            throw new NotSupportedException("Send would block the thread until the actor's turn; use Post instead.");
        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;
}
