using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Writes warnings and errors about workers to standard error. A logger factory would cost more to start than the cluster. Holds no state.</summary>
internal sealed class ConsoleWarningLogger : ILogger<WorkerProcessPool>
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"serve: {formatter(state, exception)}{(exception is null ? "" : "\n" + exception)}");
    }
}
