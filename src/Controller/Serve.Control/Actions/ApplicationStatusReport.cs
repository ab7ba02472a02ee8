using System.Collections.Immutable;
using Serve.Admin;

namespace Serve.Control;

/// <summary>How an application is, for people.</summary>
public sealed record ApplicationStatusReport(
    ApplicationStatus Status, string Message, ImmutableSortedDictionary<string, DeploymentStatusReport> Deployments);
