namespace Serve.Admin;

/// <summary>The controller, in Ray Serve's schema.</summary>
public sealed record ControllerDetails
{
    /// <summary>The node it runs on.</summary>
    public required string NodeId { get; init; }

    /// <summary>The node's IP address.</summary>
    public string? NodeIp { get; init; }

    /// <summary>The machine's id at its cloud provider; null if there is none.</summary>
    public string? NodeInstanceId { get; init; }

    /// <summary>Its actor id.</summary>
    public string? ActorId { get; init; }

    /// <summary>Its actor name.</summary>
    public string? ActorName { get; init; }

    /// <summary>The id of its process.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Its log file; null if it logs to the console.</summary>
    public string? LogFilePath { get; init; }
}
