using Microsoft.Extensions.Logging;

namespace Serve.Gateway.Requests;

/// <summary>What requests tell the operator.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} failed in the gateway itself.")]
    public static partial void RequestFailed(ILogger logger, string requestId, Exception error);
}
