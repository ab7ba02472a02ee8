namespace Serve.Runtime.Workers.Processes;

/// <summary>A worker process could not be started.</summary>
internal sealed class WorkerStartException(string message, Exception inner) : Exception(message, inner);
