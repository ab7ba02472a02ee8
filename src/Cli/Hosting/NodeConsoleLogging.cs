using Microsoft.Extensions.Logging;

namespace Serve.Cli.Hosting;

/// <summary>What a node writes to its terminal: warnings, what an operator must know, and in development what user code logs.</summary>
/// <param name="writer">Where to.</param>
/// <param name="isDevelopment">Whether somebody develops here: <c>serve run</c>.</param>
internal sealed class NodeConsoleLogging(TextWriter writer, bool isDevelopment)
{
    /// <summary>Whether somebody develops here.</summary>
    public bool IsDevelopment => isDevelopment;

    /// <summary>Sets a server's logging up.</summary>
    /// <param name="logging">The server's logging.</param>
    public void Configure(ILoggingBuilder logging)
    {
        logging.SetMinimumLevel(LogLevel.Information);
        logging.AddProvider(new LineLoggerProvider(writer, TimeProvider.System));
        // For no provider by name: the rooms' own filters of single categories win over this.
        logging.AddFilter((category, level) => level >= LogLevel.Warning || (level == LogLevel.Information && IsWanted(category)));
        // A port in use is told as one message by whoever starts the host.
        logging.AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
    }

    // What a replica's own code logs carries the replica's id, app#deployment#suffix, before the category.
    private bool IsWanted(string? category) => category is not null && (isDevelopment
        ? category.Contains('#', StringComparison.Ordinal) && !category.Contains(" Serve.", StringComparison.Ordinal)
        : category.StartsWith("Serve.", StringComparison.Ordinal));
}
