namespace Serve.Cli.Hosting;

/// <summary>Tokens that stop a command.</summary>
/// <param name="Requested">Requests a graceful stop.</param>
/// <param name="Forced">Forces an immediate stop.</param>
internal readonly record struct ShutdownTokens(CancellationToken Requested, CancellationToken Forced);
