namespace Serve.Cli.Hosting;

/// <summary>How a command is told to end.</summary>
/// <param name="Asked">Cleanly.</param>
/// <param name="Forced">At once.</param>
internal readonly record struct StopTokens(CancellationToken Asked, CancellationToken Forced);
