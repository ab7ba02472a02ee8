using System.Diagnostics.Metrics;

namespace Serve.Workflows;

/// <summary>Metrics of the meter <c>Serve.Workflows</c>.</summary>
internal static class WorkflowMetrics
{
    private static readonly Meter Meter = new("Serve.Workflows");

    public static readonly Counter<long> Started = Meter.CreateCounter<long>("serve_workflow_started", description: "Workflows that were started.");

    public static readonly Counter<long> Ended = Meter.CreateCounter<long>("serve_workflow_ended", description: "Workflows that ended or were blocked, by status.");

    public static readonly Counter<long> Steps = Meter.CreateCounter<long>("serve_workflow_steps", description: "Steps whose result was logged, by outcome.");

    public static readonly Counter<long> Retries = Meter.CreateCounter<long>("serve_workflow_step_retries", description: "Retries of steps.");

    public static readonly UpDownCounter<long> InMemory = Meter.CreateUpDownCounter<long>("serve_workflow_in_memory", description: "Workflows in memory.");

    public static readonly Histogram<double> StepSeconds = Meter.CreateHistogram<double>("serve_workflow_step_seconds", "s", "Time from the start of a step's attempt to its end.");

    public static readonly Histogram<double> CommitSeconds = Meter.CreateHistogram<double>("serve_workflow_commit_seconds", "s", "Time of a commit.");
}
