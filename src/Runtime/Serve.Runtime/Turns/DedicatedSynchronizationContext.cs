using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Turns;

/// <summary>Synchronization context that keeps blocking code and its continuations on dedicated threads.</summary>
internal sealed partial class DedicatedSynchronizationContext(ILogger logger) : SynchronizationContext
{
    private readonly ILogger _logger = logger;

    public override void Post(SendOrPostCallback d, object? state) =>
        Run(new QueuedTurnCallback(d, state, ExecutionContext.Capture(), true));

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    public void Run(QueuedTurnCallback turn) => DedicatedThreadPool.Shared.Run(static state =>
    {
        var (self, turn) = ((DedicatedSynchronizationContext, QueuedTurnCallback))state!;
        SetSynchronizationContext(self);
        try
        {
            turn.Invoke();
        }
        catch (Exception thrown)
        {
            // Only unobserved exceptions arrive here; the default, ending the process, would end the other actors as well.
            LogUnobserved(self._logger, thrown);
        }
        finally
        {
            SetSynchronizationContext(null);
        }
    }, (this, turn));

    [LoggerMessage(Level = LogLevel.Error, Message = "Unobserved exception in blocking user code; the actor keeps running")]
    private static partial void LogUnobserved(ILogger logger, Exception thrown);
}
