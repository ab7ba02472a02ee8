using Serve.Specs;

namespace Serve.Controller;

/// <summary>Options of a node's controller.</summary>
public sealed record ControllerOptions
{
    /// <summary>The node that the controller runs on.</summary>
    public required NodeId NodeId { get; init; }

    /// <summary>Isolation of applications that specify none.</summary>
    public IsolationMode DefaultIsolation { get; init; } = IsolationMode.Application;

    /// <summary>The gateway's HTTP settings.</summary>
    public HttpOptions HttpOptions { get; init; } = new();

    /// <summary>Maximum size of an uploaded package.</summary>
    public long MaxPackageBytes { get; init; } = 512L << 20;

    /// <summary>Maximum size of an uploaded package after unpacking.</summary>
    public long MaxUnpackedBytes { get; init; } = 2L << 30;

    /// <summary>Maximum size of a JSON body.</summary>
    public long MaxRequestBodyBytes { get; init; } = 4L << 20;

    /// <summary>Maximum size of all log files of the node; the oldest ones above it are deleted, except those that are being written.</summary>
    public long MaxLogBytes { get; init; } = 2L << 30;

    /// <summary>How long the logs of deleted applications are kept.</summary>
    public TimeSpan DeletedLogRetention { get; init; } = TimeSpan.FromDays(1);

    /// <summary>Maximum number of workers without actors that a node keeps for applications with isolation <c>application</c> or <c>replica</c> whose deployments may scale to zero. Default 0.</summary>
    public int SpareWorkers { get; init; }

    /// <summary>Maximum size of the package files of applications whose deployments may scale to zero that a node keeps in the page cache. Default 0.</summary>
    public long MaxCachedBytes { get; init; }

    /// <summary>How long a package of which no revision is kept can still be deployed.</summary>
    public TimeSpan UnusedPackageRetention { get; init; } = TimeSpan.FromHours(1);

    /// <summary>How long a node may take to apply new routes before they are published again.</summary>
    public TimeSpan PublishTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long the answer to a health check may take beyond the check's own time limit.</summary>
    public TimeSpan AnswerSlack { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a replica may take to apply new settings; it is replaced after that.</summary>
    public TimeSpan ReconfigureTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
