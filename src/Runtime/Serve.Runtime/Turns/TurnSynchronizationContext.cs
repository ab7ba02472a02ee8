namespace Serve.Runtime.Turns;

/// <summary>Brings the continuations of user code back as turns of its actor.</summary>
/// <param name="turns">The actor's turns.</param>
/// <param name="blocking">Whether the code that awaits is blocking code, whose continuations need a dedicated thread as well.</param>
internal sealed class TurnSynchronizationContext(TurnBasedScheduler turns, bool blocking) : SynchronizationContext
{
    public TurnBasedScheduler Turns => turns;

    public override void Post(SendOrPostCallback d, object? state) =>
        turns.Enqueue(new QueuedTurnCallback(d, state, ExecutionContext.Capture(), blocking));

    public override void Send(SendOrPostCallback d, object? state)
    {
        if (Current != this)
            throw new NotSupportedException("An actor's turn cannot be waited for by blocking a thread; use Post.");
        d(state);
    }

    public override SynchronizationContext CreateCopy() => this;
}
