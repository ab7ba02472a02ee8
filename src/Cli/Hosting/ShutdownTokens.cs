namespace Serve.Cli.Hosting;

/// <summary>How a command is told to end.</summary>
/// <param name="Requested">Cleanly.</param>
/// <param name="Forced">At once.</param>
internal readonly record struct ShutdownTokens(CancellationToken Requested, CancellationToken Forced);
