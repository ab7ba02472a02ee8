using System.Collections.Immutable;
using Serve.Routes;

namespace Serve.Control.Canaries;

/// <summary>Requests to an application with two revisions, since the canary was routed; restarts with the controller.</summary>
public sealed record RevisionRequests
{
    /// <summary>Number of the canary's revision.</summary>
    public required long Revision { get; init; }

    /// <summary>Requests to the stable revision.</summary>
    public RequestCounts Stable { get; init; } = RequestCounts.None;

    /// <summary>Requests to the canary.</summary>
    public RequestCounts Canary { get; init; } = RequestCounts.None;

    /// <summary>Copies of requests.</summary>
    public RequestCounts Shadow { get; init; } = RequestCounts.None;

    /// <summary><see cref="Stable"/> at the start of the step.</summary>
    public RequestCounts StableBefore { get; init; } = RequestCounts.None;

    /// <summary><see cref="Canary"/> at the start of the step.</summary>
    public RequestCounts CanaryBefore { get; init; } = RequestCounts.None;

    /// <summary>The newest report of each process, by node and process.</summary>
    public ImmutableDictionary<(NodeId Node, string Process), RevisionRequestReport> Reports { get; init; } = ImmutableDictionary<(NodeId, string), RevisionRequestReport>.Empty;

    /// <summary>Human-readable condition of the next decision; empty if an operator decides.</summary>
    public string Reason { get; init; } = "";

    /// <summary>Requests to the stable revision in the current step.</summary>
    public RequestCounts StableInStep => Stable.Minus(StableBefore);

    /// <summary>Requests to the canary in the current step.</summary>
    public RequestCounts CanaryInStep => Canary.Minus(CanaryBefore);

    /// <summary>Adds the requests that a process has counted since its previous report. A process whose counts have fallen was restarted.</summary>
    public RevisionRequests With(NodeId node, string process, RevisionRequestReport report)
    {
        var before = Reports.GetValueOrDefault((node, process));
        return this with
        {
            Stable = Stable.Plus(Added(before?.Stable, report.Stable)),
            Canary = Canary.Plus(Added(before?.Canary, report.Canary)),
            Shadow = Shadow.Plus(Added(before?.Shadow, report.Shadow)),
            Reports = Reports.SetItem((node, process), report),
        };
    }

    private static RequestCounts Added(RequestCounts? before, RequestCounts now) => before is null || now.Requests < before.Requests ? now : now.Minus(before);
}
