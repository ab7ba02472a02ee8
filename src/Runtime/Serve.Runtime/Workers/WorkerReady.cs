namespace Serve.Runtime.Workers;

/// <summary>The one line a worker writes to its standard output, as JSON, when it can be called.</summary>
/// <param name="HttpAddress">For forwarded requests.</param>
/// <param name="CallAddress">For gRPC.</param>
internal sealed record WorkerReady(string HttpAddress, string CallAddress);
