namespace Serve.Runtime.Turns;

/// <summary>A callback that waits for a turn.</summary>
/// <param name="Callback">An <see cref="Action"/> that restores its own execution context, or a <see cref="SendOrPostCallback"/>.</param>
/// <param name="State">Argument of a <see cref="SendOrPostCallback"/>.</param>
/// <param name="Flow">Execution context that a <see cref="SendOrPostCallback"/> was posted from.</param>
/// <param name="Blocking">Whether the callback needs a dedicated thread.</param>
/// <param name="Urgent">Whether the callback runs before those that are not.</param>
internal readonly record struct QueuedTurnCallback(Delegate Callback, object? State, ExecutionContext? Flow, bool Blocking, bool Urgent = false)
{
    public void Invoke()
    {
        if (Callback is Action continuation)
        {
            continuation();
            return;
        }

        var callback = (SendOrPostCallback)Callback;
        if (Flow is null)
        {
            callback(State);
            return;
        }

        var outer = ExecutionContext.Capture();
        ExecutionContext.Restore(Flow);
        try
        {
            callback(State);
        }
        finally
        {
            if (outer is not null)
                ExecutionContext.Restore(outer);
        }
    }
}
