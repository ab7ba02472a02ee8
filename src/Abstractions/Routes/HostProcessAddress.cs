namespace Serve.Routes;

/// <summary>How to reach a process that holds replicas. Snapshots travel on loopback to the node's own workers only, since this carries the token.</summary>
/// <param name="ProcessId">The node's or the worker's id: who has the same id is in the same process.</param>
/// <param name="HttpAddress">Base address for forwarded HTTP requests; null when nothing outside the process needs it.</param>
/// <param name="CallAddress">Address of its frame socket for calls between processes; null likewise.</param>
/// <param name="Token">What callers present; null when there are no addresses.</param>
/// <param name="Http2Address">Base address for forwarded HTTP/2 requests; null likewise.</param>
public sealed record HostProcessAddress(string ProcessId, string? HttpAddress = null, string? CallAddress = null, string? Token = null, string? Http2Address = null);
