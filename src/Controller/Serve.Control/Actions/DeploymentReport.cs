using Serve.Admin;

namespace Serve.Control;

/// <summary>How a deployment is, for people; <paramref name="Current"/> is the settings that are kept up, null when it is going.</summary>
public sealed record DeploymentReport(
    DeploymentStatus Status, DeploymentStatusTrigger Trigger, string Message, int Wanted, DeploymentTarget? Current);
