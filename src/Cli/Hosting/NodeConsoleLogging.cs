using Microsoft.Extensions.Logging;
using Serve.Controller.Logs;

namespace Serve.Cli.Hosting;

/// <summary>Logging of a node to its terminal: warnings, information of the platform, and in development the logs of user code.</summary>
/// <param name="writer">Output.</param>
/// <param name="isDevelopment">Whether the environment is Development, as for <c>serve run</c>.</param>
internal sealed class NodeConsoleLogging(TextWriter writer, bool isDevelopment)
{
    /// <summary>Whether the environment is Development.</summary>
    public bool IsDevelopment => isDevelopment;

    /// <summary>The newest lines, for the dashboard.</summary>
    public NodeLogBuffer Buffer { get; } = new(TimeProvider.System);

    /// <summary>Configures the logging of a server.</summary>
    /// <param name="logging">Logging of the server.</param>
    public void Configure(ILoggingBuilder logging)
    {
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddProvider(Buffer);
        logging.AddProvider(new LineLoggerProvider(writer, TimeProvider.System));
        // Not for a provider by name: the filters of single categories must take precedence.
        logging.AddFilter((category, level) => level >= LogLevel.Warning || (level == LogLevel.Information && IsWanted(category)));
        // NodeHost reports a port in use with a message of its own.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
    }

    // The categories of user code start with the replica's id, app#deployment#suffix.
    private bool IsWanted(string? category) => category is not null && (isDevelopment
        ? category.Contains('#', StringComparison.Ordinal) && !category.Contains(" Serve.", StringComparison.Ordinal)
        : category.StartsWith("Serve.", StringComparison.Ordinal));
}
