using Microsoft.Extensions.Logging;
using Serve.Runtime.Execution;

namespace Serve.Runtime.Turns;

/// <summary>Synchronization context that keeps blocking code and its continuations on dedicated threads.</summary>
internal sealed partial class DedicatedSynchronizationContext(ILogger logger) : SynchronizationContext
{
    private readonly ILogger _logger = logger;

    public override void Post(SendOrPostCallback d, object? state) =>
        Run(new QueuedTurnCallback(d, state, ExecutionContext.Capture(), true));

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    public void Run(QueuedTurnCallback turn) => DedicatedThreadPool.Blocking.Start(new BlockingTurn(this, turn));

    private sealed class BlockingTurn(DedicatedSynchronizationContext context, QueuedTurnCallback turn) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            SetSynchronizationContext(context);
            try
            {
                turn.Invoke();
            }
            catch (Exception thrown)
            {
                // Only exceptions that no code observes; terminating the process would fail all other actors.
                Log.Unobserved(context._logger, thrown);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 1004, Level = LogLevel.Error, Message = "Unobserved exception in blocking user code; the actor keeps running")]
        public static partial void Unobserved(ILogger logger, Exception thrown);
    }
}
