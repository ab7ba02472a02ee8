namespace Serve.Runtime.Workers.Rpc;

/// <summary>How a process's call server is guarded, and whether it takes orders.</summary>
/// <param name="Token">What callers present.</param>
/// <param name="TakesControl">Whether a node may create and end actors in it.</param>
internal sealed record ProcessHttpServerOptions(string Token, bool TakesControl);
