using System.Collections.Immutable;
using Serve.Control.Status;
using Serve.Routes;

namespace Serve.Control;

/// <summary>Result of a decision: the actions to dispatch, the time of the next decision, and the status to report.</summary>
public sealed record ReconciliationPlan
{
    /// <summary>The actions, in order.</summary>
    public ImmutableArray<ControlAction> Actions { get; init; } = [];

    /// <summary>When to decide again if there is no event before; null if there is no need.</summary>
    public DateTimeOffset? NextWakeUp { get; init; }

    /// <summary>The desired routes.</summary>
    public required RouteSnapshot Routes { get; init; }

    /// <summary>Status of every application, by name.</summary>
    public ImmutableSortedDictionary<string, ApplicationStatusReport> Status { get; init; } =
        ImmutableSortedDictionary.Create<string, ApplicationStatusReport>(StringComparer.Ordinal);
}
