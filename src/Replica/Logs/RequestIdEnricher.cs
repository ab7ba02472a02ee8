using Serilog.Core;
using Serilog.Events;
using Serve.Calls;

namespace Serve.Replica.Logs;

/// <summary>Adds the id of the request being served, or a dash. Holds no state.</summary>
internal sealed class RequestIdEnricher : ILogEventEnricher
{
    private static readonly LogEventProperty None = new("RequestId", new ScalarValue("-"));

    public void Enrich(LogEvent logEvent, ILogEventPropertyFactory propertyFactory)
    {
        // ASP.NET's own logging scope has a RequestId too: ours is the one that callers see.
        logEvent.AddOrUpdateProperty(RequestContext.Current?.Call.RequestId is { } id ? new("RequestId", new ScalarValue(id)) : None);
    }
}
