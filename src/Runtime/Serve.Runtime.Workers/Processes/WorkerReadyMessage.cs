namespace Serve.Runtime.Workers.Processes;

/// <summary>Line that a worker writes to its standard output, as JSON, when it can be called; a second one when it has started its services.</summary>
/// <param name="HttpAddress">Base address of forwarded HTTP/1.1 requests; null while no HTTP server runs.</param>
/// <param name="Http2Address">Base address of forwarded HTTP/2 requests; null likewise.</param>
/// <param name="CallAddress">Address of its frame socket.</param>
internal sealed record WorkerReadyMessage(string? HttpAddress, string? Http2Address, string CallAddress);
