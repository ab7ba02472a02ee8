using System.Globalization;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Extensions.Logging;
using Serilog.Formatting;
using Serilog.Formatting.Display;

namespace Serve.Replica.Logs;

/// <summary>
/// Creates the log files of a replica: <c>replica.log</c> in a folder of its own, then <c>replica_001.log</c> and so on; the newest five are kept. Each line is flushed to disk, so that the
/// log can be followed.
/// </summary>
internal sealed class ReplicaLogFactory : IDisposable
{
    private const string Template =
        "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {LevelName} {Replica} {RequestId} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    private readonly Logger _logger;

    public ReplicaLogFactory(string directory, ReplicaId replica, long fileSizeLimit = 10 * 1024 * 1024)
    {
        Directory.CreateDirectory(directory);
        _logger = new LoggerConfiguration()
            .MinimumLevel.Verbose()
            .Enrich.WithProperty("Replica", replica.ToString())
            .Enrich.With<RequestIdEnricher>()
            .Enrich.With<LevelNameEnricher>()
            .WriteTo.File(
                new EscapingFormatter(new MessageTemplateTextFormatter(Template, CultureInfo.InvariantCulture)), Path.Combine(directory, "replica.log"),
                fileSizeLimitBytes: fileSizeLimit, rollOnFileSizeLimit: true, retainedFileCountLimit: 5)
            .CreateLogger();
        Provider = new SerilogLoggerProvider(_logger);
    }

    /// <summary>Writes entries of all levels to the files; filters are up to the caller.</summary>
    public SerilogLoggerProvider Provider { get; }

    public void Dispose()
    {
        Provider.Dispose();
        _logger.Dispose();
    }

    /// <summary>Formats entries so that values of a request cannot forge others.</summary>
    private sealed class EscapingFormatter(ITextFormatter entries) : ITextFormatter
    {
        public void Format(LogEvent logEvent, TextWriter output)
        {
            using var text = new StringWriter(CultureInfo.InvariantCulture);
            entries.Format(logEvent, text);
            output.Write(LogTextEscaper.Escape(text.ToString()));
        }
    }
}
