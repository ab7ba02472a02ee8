using Serve.Specs;

namespace Serve.Controller;

/// <summary>How a node's controller is set up. Written once by the composition root.</summary>
public sealed record ControllerOptions
{
    /// <summary>The node's id.</summary>
    public required string NodeId { get; init; }

    /// <summary>For applications that state no isolation.</summary>
    public IsolationMode DefaultIsolation { get; init; } = IsolationMode.Application;

    /// <summary>How the gateway was told to listen.</summary>
    public HttpOptions HttpOptions { get; init; } = new();

    /// <summary>The largest package that may be uploaded, packed.</summary>
    public long MaxPackageBytes { get; init; } = 512L << 20;

    /// <summary>The largest that an uploaded package may be unpacked.</summary>
    public long MaxUnpackedBytes { get; init; } = 2L << 30;

    /// <summary>The largest JSON body.</summary>
    public long MaxRequestBodyBytes { get; init; } = 4L << 20;

    /// <summary>How long processes may take to put new routes in force before they are published again.</summary>
    public TimeSpan PublishTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long a replica may take to take new settings.</summary>
    public TimeSpan ReconfigureTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
