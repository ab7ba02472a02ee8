using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Turns;

/// <summary>Keeps blocking code, and its continuations, on dedicated threads.</summary>
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
            // Only what nobody awaits arrives here; ending the process would take the other actors along.
            LogUnobserved(self._logger, thrown);
        }
        finally
        {
            SetSynchronizationContext(null);
        }
    }, (this, turn));

    [LoggerMessage(Level = LogLevel.Error, Message = "Blocking user code threw where nobody awaits it. The actor lives on.")]
    private static partial void LogUnobserved(ILogger logger, Exception thrown);
}
