using Serve.Control;

namespace Serve.Controller;

/// <summary>The controller's state at one moment, for readers outside the loop. Never changed, only replaced.</summary>
internal sealed record ControllerStateView(DesiredState Desired, ObservedState Observed, ReconciliationPlan Plan);
