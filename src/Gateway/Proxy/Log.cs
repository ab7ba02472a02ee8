using Microsoft.Extensions.Logging;

namespace Serve.Gateway.Proxy;

/// <summary>What the proxy tells the operator.</summary>
internal static partial class Log
{
    [LoggerMessage(Level = LogLevel.Error, Message = "Route prefix '{Prefix}' of application {Application} cannot be routed; the application answers no HTTP.")]
    public static partial void PrefixIgnored(ILogger logger, string prefix, string application, Exception error);

    [LoggerMessage(Level = LogLevel.Error, Message = "The new routes could not be applied; the last good ones stay in force.")]
    public static partial void NotApplied(ILogger logger, Exception error);

    // Debug: a dead worker is told once by the runtime; with it go as many requests as were on it, each of which its client is told about.
    [LoggerMessage(Level = LogLevel.Debug, Message = "Replica {Replica} died while it served request {RequestId}: {Reason}")]
    public static partial void ReplicaDied(ILogger logger, string replica, string requestId, string reason);
}
