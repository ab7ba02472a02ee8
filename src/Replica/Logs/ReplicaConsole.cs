using System.Collections.Immutable;
using Microsoft.Extensions.Logging;

namespace Serve.Replica.Logs;

/// <summary>
/// Copies output of user code that bypasses its log to the log of a replica: lines on the console, native output of a worker, and exceptions of tasks that nothing awaits. They cannot be attributed to a
/// replica, so they go to the newest replica of the process, as long as all its replicas belong to one application. The attached replicas are written under the lock.
/// </summary>
internal static partial class ReplicaConsole
{
    // Set by the host of a worker.
    private const string NativeOutputData = "Serve.NativeOutputFile";

    private static readonly TimeSpan NativeOutputPeriod = TimeSpan.FromMilliseconds(500);
    private static readonly Lock Sync = new();
    private static ImmutableList<(ReplicaId Id, ILogger Logger)> _attached = [];
    private static volatile ILogger? _current;
    private static bool _isInstalled;
    private static Timer? _nativeOutput;

    /// <summary>Lets a replica receive the output until the result is disposed.</summary>
    /// <param name="replica">The replica.</param>
    /// <param name="log">Its log files.</param>
    public static IDisposable Attach(ReplicaId replica, ReplicaLogFactory log)
    {
        var entry = (replica, (ILogger)log.Provider.CreateLogger("Console"));
        lock (Sync)
        {
            if (!_isInstalled)
                Install();
            Set(_attached.Add(entry));
        }

        return new Attachment(entry);
    }

    // Under the lock.
    private static void Install()
    {
        _isInstalled = true;
        Console.SetOut(TextWriter.Synchronized(new ReplicaConsoleWriter(Console.Out, static line => Write(LogLevel.Information, line))));
        Console.SetError(TextWriter.Synchronized(new ReplicaConsoleWriter(Console.Error, static line => Write(LogLevel.Warning, line))));
        TaskScheduler.UnobservedTaskException += static (_, unobserved) =>
        {
            if (_current is { } logger)
                Log.Unobserved(logger, unobserved.Exception.InnerExceptions.Count == 1 ? unobserved.Exception.InnerException! : unobserved.Exception);
        };
        if (AppContext.GetData(NativeOutputData) is string file)
        {
            var reader = new NativeOutputReader(file);
            _nativeOutput = new(_ => reader.ReadLines(static line => Write(LogLevel.Information, line)), null, NativeOutputPeriod, NativeOutputPeriod);
        }
    }

    // Under the lock.
    private static void Set(ImmutableList<(ReplicaId Id, ILogger Logger)> attached)
    {
        _attached = attached;
        _current = attached.Count > 0 && attached.TrueForAll(each => each.Id.Deployment.Application == attached[^1].Id.Deployment.Application) ? attached[^1].Logger : null;
    }

    private static void Write(LogLevel level, string line)
    {
        if (_current is { } logger)
            Log.Line(logger, level, line);
    }

    private sealed class Attachment((ReplicaId, ILogger) entry) : IDisposable
    {
        public void Dispose()
        {
            lock (Sync)
                Set(_attached.Remove(entry));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 5070, Message = "{Line}")]
        public static partial void Line(ILogger logger, LogLevel level, string line);

        [LoggerMessage(EventId = 5071, Level = LogLevel.Error, Message = "A task that nothing awaits failed")]
        public static partial void Unobserved(ILogger logger, Exception thrown);
    }
}
