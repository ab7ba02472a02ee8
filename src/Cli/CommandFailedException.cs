namespace Serve.Cli;

/// <summary>An error that the user can correct: reported on stderr without a stack trace, with an exit code.</summary>
/// <param name="message">The error, and what to do next.</param>
/// <param name="exitCode">One of <see cref="Cli.CliExitCode"/>.</param>
/// <param name="inner">Cause; null for none.</param>
internal sealed class CommandFailedException(string message, int exitCode = CliExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="Cli.CliExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
