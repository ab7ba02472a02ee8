using Serilog;
using Serilog.Core;
using Serilog.Extensions.Logging;

namespace Serve.Replica.Logs;

/// <summary>
/// One replica's log files: <c>replica.log</c> in a folder of its own, then <c>replica_001.log</c> and so on, the newest five kept. Each line
/// is on disk before the next is written, so that it can be followed. The one writer of those files.
/// </summary>
internal sealed class ReplicaLogFactory : IDisposable
{
    private const string Template =
        "{Timestamp:yyyy-MM-dd HH:mm:ss.fff} {Level:u4} {Replica} {RequestId} {SourceContext}: {Message:lj}{NewLine}{Exception}";

    private readonly Logger _logger;

    public ReplicaLogFactory(string directory, ReplicaId replica, long fileSizeLimit = 10 * 1024 * 1024)
    {
        Directory.CreateDirectory(directory);
        _logger = new LoggerConfiguration()
            .MinimumLevel.Verbose()
            .Enrich.WithProperty("Replica", replica.ToString())
            .Enrich.With<RequestIdEnricher>()
            .WriteTo.File(
                Path.Combine(directory, "replica.log"), outputTemplate: Template, formatProvider: System.Globalization.CultureInfo.InvariantCulture,
                fileSizeLimitBytes: fileSizeLimit, rollOnFileSizeLimit: true, retainedFileCountLimit: 5)
            .CreateLogger();
        Provider = new SerilogLoggerProvider(_logger);
    }

    /// <summary>Writes to the files; which levels is for whoever uses it.</summary>
    public SerilogLoggerProvider Provider { get; }

    public void Dispose()
    {
        Provider.Dispose();
        _logger.Dispose();
    }
}
