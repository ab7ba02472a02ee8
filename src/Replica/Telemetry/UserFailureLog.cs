using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Serve.Replica.Telemetry;

/// <summary>Writes what user code throws into the replica's log: once, though each caller of a batch is told of it. Called from many threads.</summary>
internal sealed partial class UserFailureLog(ILogger logger)
{
    private readonly ConditionalWeakTable<Exception, UserFailureLog> _written = [];

    /// <summary>A batch threw.</summary>
    /// <param name="method">Whose batch.</param>
    /// <param name="callers">How many are told of it.</param>
    /// <param name="thrown">What it threw.</param>
    public void OfBatch(string method, int callers, Exception thrown)
    {
        _written.AddOrUpdate(thrown, this);
        if (IsPassedOn(thrown) is { } known)
            LogBatchPassedOn(logger, method, known.Reason, callers, known.Message);
        else
            LogBatchThrown(logger, thrown, method, callers);
    }

    /// <summary>A request is answered with what was thrown; unless that was a batch, which has been written.</summary>
    public void OfRequest(HttpRequest request, Exception thrown)
    {
        if (_written.TryGetValue(thrown, out _))
            return;
        if (IsPassedOn(thrown) is { } known)
            LogPassedOn(logger, known.Reason, known.Message);
        else
            LogThrown(logger, thrown, request.Method, request.PathBase + request.Path);
    }

    // From a handle that this deployment called: overloaded stays overloaded, with its own status.
    private static ServeException? IsPassedOn(Exception thrown) => thrown is ServeException known and not UserCodeException ? known : null;

    [LoggerMessage(Level = LogLevel.Error, Message = "{Method} {Path} threw")]
    private static partial void LogThrown(ILogger logger, Exception thrown, string method, string path);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A call from here failed with {Reason}, which was passed on to the client: {Detail}")]
    private static partial void LogPassedOn(ILogger logger, string reason, string detail);

    [LoggerMessage(Level = LogLevel.Error, Message = "A batch of {Method} threw; its {Callers} callers are told so")]
    private static partial void LogBatchThrown(ILogger logger, Exception thrown, string method, int callers);

    [LoggerMessage(Level = LogLevel.Warning, Message = "A batch of {Method} failed with {Reason}, which was passed on to its {Callers} callers: {Detail}")]
    private static partial void LogBatchPassedOn(ILogger logger, string method, string reason, int callers, string detail);
}
