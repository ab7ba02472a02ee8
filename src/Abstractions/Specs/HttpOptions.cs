using Serve.Specs.Binding;

namespace Serve.Specs;

/// <summary>HTTP settings of the gateway; they cannot change while the node runs.</summary>
public sealed record HttpOptions
{
    /// <summary>Address to listen on. Default 127.0.0.1; other than loopback addresses require a token.</summary>
    [ConfigKey(ConfigFormat.NonEmptyText)]
    public string Host { get; init; } = "127.0.0.1";

    /// <summary>Port, 0 to 65535; 0 selects a free one. Default 8000.</summary>
    [ConfigKey(Minimum = 0, Maximum = 65_535)]
    public int Port { get; init; } = 8000;

    /// <summary>Path in front of every route prefix. Default none.</summary>
    [ConfigKey(ConfigFormat.RootPath)]
    public string RootPath { get; init; } = "";

    /// <summary>Maximum duration of a request in seconds; afterwards it is answered with 408. Default null: no limit.</summary>
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double? RequestTimeoutS { get; init; }

    /// <summary>Time after which an idle connection is closed, in seconds. Default 90.</summary>
    [ConfigKey(ConfigFormat.PositiveSeconds)]
    public double KeepAliveTimeoutS { get; init; } = 90;

    /// <summary>Maximum size of a request body in bytes; a larger one is answered with 413. Default 30,000,000 (Kestrel's).</summary>
    [ConfigKey(Minimum = 1)]
    public long MaxRequestBodyBytes { get; init; } = 30_000_000;
}
