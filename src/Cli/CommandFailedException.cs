namespace Serve.Cli;

/// <summary>Something a person can mend: told on stderr without a stack, and ends the command with an exit code.</summary>
/// <param name="message">What happened, and what to do next.</param>
/// <param name="exitCode">One of <see cref="Cli.CliExitCode"/>.</param>
/// <param name="inner">The cause, if there is one.</param>
internal sealed class CommandFailedException(string message, int exitCode = CliExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="Cli.CliExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
