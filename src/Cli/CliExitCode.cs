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
