namespace Serve.Specs;

/// <summary>How the gateway listens. Fixed while the node runs.</summary>
public sealed record HttpOptions
{
    /// <summary>The address to listen on. Default 127.0.0.1; beyond loopback a token is required.</summary>
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>The port, 0 to 65535; 0 takes a free one. Default 8000.</summary>
    public int Port { get; init; } = 8000;

    /// <summary>A path that stands before every route prefix. Default none.</summary>
    public string RootPath { get; init; } = "";

    /// <summary>Seconds a request may take before it is answered with 408. Default null: no limit.</summary>
    public double? RequestTimeoutS { get; init; }

    /// <summary>Seconds an idle connection is kept. Default 90.</summary>
    public double KeepAliveTimeoutS { get; init; } = 90;

    /// <summary>The largest request body in bytes; a larger one gets 413. Default 30,000,000 (Kestrel's).</summary>
    public long MaxRequestBodyBytes { get; init; } = 30_000_000;
}
