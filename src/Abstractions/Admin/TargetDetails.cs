namespace Serve.Admin;

/// <summary>One address of a <see cref="TargetGroup"/>.</summary>
public sealed record TargetDetails
{
    /// <summary>The address.</summary>
    public required string Ip { get; init; }

    /// <summary>The port.</summary>
    public int Port { get; init; }

    /// <summary>The machine's id at its provider; empty where there is none.</summary>
    public string InstanceId { get; init; } = "";

    /// <summary>The gateway's name.</summary>
    public string Name { get; init; } = "";
}
