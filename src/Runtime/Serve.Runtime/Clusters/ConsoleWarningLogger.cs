using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Clusters;

/// <summary>Writes warnings and errors of a program's own cluster to standard error. A logger factory would cost more to start than the cluster. Holds no state.</summary>
public class ConsoleWarningLogger : ILogger
{
    public static ConsoleWarningLogger Instance { get; } = new();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning && logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (IsEnabled(logLevel))
            Console.Error.WriteLine($"serve: {formatter(state, exception)}{(exception is null ? "" : "\n" + exception)}");
    }
}

/// <summary>A <see cref="ConsoleWarningLogger"/> of one category.</summary>
public sealed class ConsoleWarningLogger<T> : ConsoleWarningLogger, ILogger<T>;
