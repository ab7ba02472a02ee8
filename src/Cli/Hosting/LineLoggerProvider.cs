using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Serve.Cli.Hosting;

/// <summary>Writes log lines as <c>12:34:56 warn Category: message</c>, one at a time. Values of a request cannot forge lines.</summary>
/// <param name="writer">Output.</param>
/// <param name="time">Clock.</param>
/// <param name="hasDate">Whether lines have the date and the time in UTC, as in log files, instead of the local time.</param>
[ProviderAlias("Console")]
internal sealed class LineLoggerProvider(TextWriter writer, TimeProvider time, bool hasDate = false) : ILoggerProvider
{
    // A warning with a stack for each body whose read was canceled, by a request timeout for instance: the read stays pending, so Kestrel cannot drain the body and closes the connection.
    private const string UndrainedBody = "RequestBodyDrainBodyReaderInvalidState";

    private readonly Lock _gate = new();

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new PlainLineLogger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private void Write(LogLevel level, string category, string message, Exception? exception)
    {
        var now = hasDate
            ? time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            : time.GetLocalNow().ToString("HH:mm:ss", CultureInfo.InvariantCulture);
        var line = string.Create(CultureInfo.InvariantCulture, $"{now} {Name(level)} {category}: {LogTextEscaper.Escape(message)}");
        lock (_gate)
        {
            writer.WriteLine(line);
            if (exception is not null)
                writer.WriteLine(LogTextEscaper.Escape(exception.ToString()));
        }
    }

    private static string Name(LogLevel level) => level switch
    {
        LogLevel.Information => "info",
        LogLevel.Warning => "warn",
        LogLevel.Error => "error",
        LogLevel.Critical => "critical",
        _ => "debug",
    };

    private sealed class PlainLineLogger(LineLoggerProvider owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Name != UndrainedBody)
                owner.Write(logLevel, category, formatter(state, exception), exception);
        }
    }
}
