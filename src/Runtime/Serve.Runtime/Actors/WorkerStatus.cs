namespace Serve.Runtime;

/// <summary>A worker process, as people see it.</summary>
/// <param name="WorkerId">Its id.</param>
/// <param name="ProcessId">Its process id in the operating system.</param>
/// <param name="Label">What it is for.</param>
/// <param name="ActorIds">The actors it holds.</param>
/// <param name="LogFile">Where its output goes.</param>
public sealed record WorkerStatus(string WorkerId, int ProcessId, string Label, IReadOnlyList<ActorId> ActorIds, string LogFile);
