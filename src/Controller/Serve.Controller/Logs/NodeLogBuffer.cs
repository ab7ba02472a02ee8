using Microsoft.Extensions.Logging;

namespace Serve.Controller.Logs;

/// <summary>The newest log lines of the node's own process, which logs to its terminal. Thread-safe.</summary>
/// <param name="time">Clock.</param>
[ProviderAlias("Dashboard")]
public sealed class NodeLogBuffer(TimeProvider time) : ILoggerProvider
{
    private const int Capacity = 5000;
    private const int MaxCharacters = 2_000_000;
    private readonly Lock _sync = new();
    private readonly Queue<NodeLogLine> _lines = new();
    private long _count;
    private int _characters;

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new BufferedLogger(this, categoryName);

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Returns the lines after a position.</summary>
    /// <param name="position">Position of the last line that the caller has; 0 for all lines.</param>
    internal (IReadOnlyList<NodeLogLine> Lines, long Position) Read(long position)
    {
        lock (_sync)
        {
            var count = (int)Math.Min(_count - position, _lines.Count);
            return (count <= 0 ? [] : [.. _lines.Skip(_lines.Count - count)], _count);
        }
    }

    private void Add(NodeLogLine line)
    {
        lock (_sync)
        {
            _lines.Enqueue(line);
            _count++;
            _characters += line.Text.Length;
            while (_lines.Count > Capacity || _characters > MaxCharacters)
                _characters -= _lines.Dequeue().Text.Length;
        }
    }

    private sealed class BufferedLogger(NodeLogBuffer owner, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var message = formatter(state, exception);
            owner.Add(NodeLogLine.Of("node", owner.Now, logLevel, $"{category}: {message}{(exception is null ? "" : Environment.NewLine + exception)}"));
        }
    }

    private DateTimeOffset Now => time.GetUtcNow();
}
