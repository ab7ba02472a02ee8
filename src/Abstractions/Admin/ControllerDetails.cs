namespace Serve.Admin;

/// <summary>The controller, as people see it.</summary>
public sealed record ControllerDetails
{
    /// <summary>The node it runs on.</summary>
    public required string NodeId { get; init; }

    /// <summary>That node's address.</summary>
    public string? NodeIp { get; init; }

    /// <summary>That machine's id at its provider; null where there is none.</summary>
    public string? NodeInstanceId { get; init; }

    /// <summary>Its id.</summary>
    public string? ActorId { get; init; }

    /// <summary>Its name.</summary>
    public string? ActorName { get; init; }

    /// <summary>The process it runs in.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Where it logs; null when it logs to the console.</summary>
    public string? LogFilePath { get; init; }
}
