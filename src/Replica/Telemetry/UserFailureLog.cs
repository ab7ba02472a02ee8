using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Serve.Replica.Telemetry;

/// <summary>Logs exceptions of user code: once per exception, even if all callers of a batch receive it. Thread-safe.</summary>
internal sealed partial class UserFailureLog(ILogger logger)
{
    private readonly ConditionalWeakTable<Exception, UserFailureLog> _written = [];

    /// <summary>Logs the exception of a batch.</summary>
    /// <param name="method">Name of the batched method.</param>
    /// <param name="callers">Number of callers that receive the exception.</param>
    /// <param name="thrown">The exception.</param>
    public void OfBatch(string method, int callers, Exception thrown)
    {
        _written.AddOrUpdate(thrown, this);
        if (IsPassedOn(thrown) is { } known)
            Log.BatchPassedOn(logger, method, known.Reason, callers, known.Message);
        else
            Log.BatchThrown(logger, thrown, method, callers);
    }

    /// <summary>Logs the exception of a request, unless a batch threw it and it has been logged already.</summary>
    public void OfRequest(HttpRequest request, Exception thrown)
    {
        if (_written.TryGetValue(thrown, out _))
            return;
        if (IsPassedOn(thrown) is { } known)
            Log.PassedOn(logger, known.Reason, known.Message);
        else
            Log.Thrown(logger, thrown, request.Method, request.PathBase + request.Path);
    }

    // An error of a called deployment, which keeps its own status.
    private static ServeException? IsPassedOn(Exception thrown) => thrown is ServeException known and not UserCodeException ? known : null;

    private static partial class Log
    {
        [LoggerMessage(EventId = 5060, Level = LogLevel.Error, Message = "{Method} {Path} failed")]
        public static partial void Thrown(ILogger logger, Exception thrown, string method, string path);

        [LoggerMessage(EventId = 5061, Level = LogLevel.Warning, Message = "A call of another deployment failed with {Reason}, which was returned to the client: {Detail}")]
        public static partial void PassedOn(ILogger logger, string reason, string detail);

        [LoggerMessage(EventId = 5062, Level = LogLevel.Error, Message = "Batch method {Method} failed; the exception was returned to {Callers} callers")]
        public static partial void BatchThrown(ILogger logger, Exception thrown, string method, int callers);

        [LoggerMessage(EventId = 5063, Level = LogLevel.Warning, Message = "Batch method {Method} failed with {Reason}, which was returned to {Callers} callers: {Detail}")]
        public static partial void BatchPassedOn(ILogger logger, string method, string reason, int callers, string detail);
    }
}
