using Serilog;
using Serilog.Core;
using Serilog.Extensions.Logging;

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
                Path.Combine(directory, "replica.log"), outputTemplate: Template, formatProvider: System.Globalization.CultureInfo.InvariantCulture,
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
}
