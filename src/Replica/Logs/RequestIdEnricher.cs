using Serilog.Core;
using Serilog.Events;
using Serve.Calls;

namespace Serve.Replica.Logs;

/// <summary>Adds the id of the current request to log entries, or a dash.</summary>
internal sealed class RequestIdEnricher : ILogEventEnricher
{
    private static readonly LogEventProperty None = new("RequestId", new ScalarValue("-"));

    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        // Replaces the RequestId of ASP.NET Core's logging scope by the one that callers see.
        logEvent.AddOrUpdateProperty(RequestContext.Current?.Call.RequestId is { } id ? new("RequestId", new ScalarValue(id)) : None);
    }
}
