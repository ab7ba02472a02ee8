namespace Serve.Cli;

/// <summary>Something a person can mend: told on stderr without a stack, and ends the command with an exit code.</summary>
/// <param name="message">What happened, and what to do next.</param>
/// <param name="exitCode">One of <see cref="Cli.ExitCode"/>.</param>
/// <param name="inner">The cause, if there is one.</param>
internal sealed class CliException(string message, int exitCode = ExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="Cli.ExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
