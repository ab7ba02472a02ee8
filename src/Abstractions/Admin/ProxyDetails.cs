namespace Serve.Admin;

/// <summary>One gateway, as people see it.</summary>
public sealed record ProxyDetails
{
    /// <summary>The node it runs on.</summary>
    public required string NodeId { get; init; }

    /// <summary>That node's address.</summary>
    public string? NodeIp { get; init; }

    /// <summary>How it is.</summary>
    public ProxyStatus Status { get; init; }

    /// <summary>Where it answers: a base address.</summary>
    public string? Address { get; init; }
}
