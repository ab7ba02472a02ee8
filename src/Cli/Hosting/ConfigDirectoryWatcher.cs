using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Logging;
using Serve.Admin;
using Serve.Cli.Verbs;
using Serve.Controller;
using Serve.Controller.Metrics;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>
/// Applies the config files of a directory whenever they change: all of them together are one declarative configuration. Errors are reported and keep the previous
/// configuration. Made for mounted ConfigMaps, whose files are symbolic links that are replaced at once.
/// </summary>
/// <param name="directory">The directory.</param>
/// <param name="commandLine">Overrides the HTTP settings of a file by the command line.</param>
/// <param name="controller">Receives the configuration.</param>
/// <param name="report">Receives the result.</param>
/// <param name="metrics">Receives whether the configuration is applied.</param>
/// <param name="time">Clock.</param>
/// <param name="logger">Log.</param>
internal sealed partial class ConfigDirectoryWatcher(
    string directory, Func<HttpOptions, HttpOptions> commandLine, ServeController controller, ConfigDirectoryReport report, ControllerMetrics metrics, TimeProvider time,
    ILogger<ConfigDirectoryWatcher> logger)
{
    // Kubelets update mounted files about once a minute. Notifications do not work on every kind of volume.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // A package or model that the configuration names may be copied to its volume later.
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);
    private static readonly string[] Extensions = [".yaml", ".yml", ".json"];
    private string? _seen;
    private DateTimeOffset? _appliedAt;
    private DateTimeOffset? _failedAt;

    /// <summary>Reads the HTTP settings of the directory's files, for the start of the node; the defaults if they have none or cannot be read.</summary>
    /// <param name="directory">The directory.</param>
    public static HttpOptions ReadHttpOptions(string directory)
    {
        try
        {
            return Read(Files(directory)).HttpOptions ?? new();
        }
        catch (Exception invalid) when (invalid is DefinitionException or IOException or UnauthorizedAccessException)
        {
            // Reported by the first ApplyAsync.
            return new();
        }
    }

    /// <summary>Applies the files whenever they change.</summary>
    /// <param name="cancellationToken">Ends the watch by a cancellation.</param>
    public async Task WatchAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(cancellationToken))
            await ApplyAsync(cancellationToken);
    }

    /// <summary>Applies the files if they have changed since the last attempt, or if the last attempt failed a while ago.</summary>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    public async Task ApplyAsync(CancellationToken cancellationToken)
    {
        try
        {
            var files = Files(directory);
            var fingerprint = await FingerprintAsync(files, cancellationToken);
            var isRetry = fingerprint == _seen;
            if (isRetry && (_failedAt is not { } failedAt || time.GetUtcNow() - failedAt < RetryInterval))
                return;
            _seen = fingerprint;
            if (files.Count > 0)
            {
                var config = Read(files);
                await controller.DeployAsync(config with { HttpOptions = config.HttpOptions is { } http ? commandLine(http) : null }, cancellationToken);
                _appliedAt = time.GetUtcNow();
                Log.Applied(logger, directory, config.Applications.Count);
            }

            (_failedAt, report.Current) = (null, Details([]));
            metrics.ConfigDirectoryRead(isApplied: true, _appliedAt);
        }
        catch (DefinitionException invalid)
        {
            Fail(invalid.Errors);
        }
        catch (Exception failed) when (failed is not OperationCanceledException)
        {
            // The watch goes on, whatever happened to one attempt.
            Fail([failed.Message]);
        }
    }

    private void Fail(IReadOnlyList<string> errors)
    {
        // One line per failure, not one per retry.
        if (report.Current?.Errors.SequenceEqual(errors) is not true)
            Log.NotApplied(logger, directory, string.Join(Environment.NewLine, errors));
        (_failedAt, report.Current) = (time.GetUtcNow(), Details(errors));
        metrics.ConfigDirectoryRead(isApplied: false, _appliedAt);
    }

    private ConfigDirectoryDetails Details(IReadOnlyList<string> errors) => new()
    {
        Path = directory,
        AppliedTimeS = _appliedAt is { } applied ? applied.ToUnixTimeMilliseconds() / 1000.0 : null,
        Errors = errors,
    };

    private static List<string> Files(string directory) => [.. Directory.EnumerateFiles(directory)
        .Where(file => Extensions.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase) && !Path.GetFileName(file).StartsWith('.'))
        .Order(StringComparer.Ordinal)];

    private static ServeConfig Read(IReadOnlyList<string> files)
    {
        List<ServeConfig> configs = [.. files.Select(file => DeployCommandTarget.Load(file, null, null, null).Config)];
        return configs.Count(config => config.HttpOptions is not null) > 1
            ? throw new DefinitionException("http_options: more than one file sets them.")
            : new() { HttpOptions = configs.Select(config => config.HttpOptions).FirstOrDefault(http => http is not null), Applications = [.. configs.SelectMany(config => config.Applications)] };
    }

    private static async Task<string> FingerprintAsync(List<string> files, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(file + '\0'));
            hash.AppendData(SHA256.HashData(await File.ReadAllBytesAsync(file, cancellationToken)));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static partial class Log
    {
        [LoggerMessage(8001, LogLevel.Information, "Applied the configuration of {Directory}: {Applications} application(s).")]
        public static partial void Applied(ILogger logger, string directory, int applications);

        [LoggerMessage(8002, LogLevel.Error, "The configuration of {Directory} was not applied; the previous one stays in effect. {Errors}")]
        public static partial void NotApplied(ILogger logger, string directory, string errors);
    }
}
