using System.Collections.Immutable;
using Serve.Routes;

namespace Serve.Control;

/// <summary>A decision: what to do now, when to look again, and how things stand.</summary>
public sealed record ReconciliationPlan
{
    /// <summary>What to do, in this order.</summary>
    public ImmutableArray<ControlAction> Actions { get; init; } = [];

    /// <summary>When to decide again if nothing happens before; null when there is no need.</summary>
    public DateTimeOffset? NextWakeUp { get; init; }

    /// <summary>The routes as they should be.</summary>
    public required RouteSnapshot Routes { get; init; }

    /// <summary>How every application is, by name.</summary>
    public ImmutableSortedDictionary<string, ApplicationStatusReport> Status { get; init; } =
        ImmutableSortedDictionary.Create<string, ApplicationStatusReport>(StringComparer.Ordinal);
}
