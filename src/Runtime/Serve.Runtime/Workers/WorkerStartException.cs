namespace Serve.Runtime.Workers;

/// <summary>A worker process could not be started.</summary>
internal sealed class WorkerStartException(string message, Exception inner) : Exception(message, inner);
