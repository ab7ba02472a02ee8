namespace Serve.Runtime.Workers.Processes;

/// <summary>The line a worker writes to its standard output, as JSON, when it can be called.</summary>
/// <param name="HttpAddress">For forwarded requests; null while it does not listen.</param>
/// <param name="CallAddress">For gRPC; null while it does not listen.</param>
/// <param name="SessionAddress">For a session.</param>
internal sealed record WorkerReadyMessage(string? HttpAddress, string? CallAddress, string SessionAddress);
