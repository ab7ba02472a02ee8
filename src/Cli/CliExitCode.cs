namespace Serve.Cli;

/// <summary>What the exit codes mean; scripts rely on them.</summary>
internal static class CliExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>It could not be done; the reason is on stderr.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;

    /// <summary>No node answers.</summary>
    public const int NoNode = 3;
}
