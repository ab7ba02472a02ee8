namespace Serve.Cli;

/// <summary>Exit codes of the CLI; scripts depend on them.</summary>
internal static class CliExitCode
{
    /// <summary>Success.</summary>
    public const int Ok = 0;

    /// <summary>The command failed; the reason is on stderr.</summary>
    public const int Failed = 1;

    /// <summary>The command line is invalid.</summary>
    public const int Usage = 2;

    /// <summary>No node responds.</summary>
    public const int NoNode = 3;
}

/// <summary>An error that the user can correct: reported on stderr without a stack trace, with an exit code.</summary>
/// <param name="message">The error, and what to do next.</param>
/// <param name="exitCode">One of <see cref="Cli.CliExitCode"/>.</param>
/// <param name="inner">Cause; null for none.</param>
internal sealed class CommandFailedException(string message, int exitCode = CliExitCode.Failed, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="Cli.CliExitCode"/>.</summary>
    public int ExitCode { get; } = exitCode;
}
