using System.Text.Json.Nodes;
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

    /// <summary>
    /// Host names under which the node may be reached, in addition to loopback names, IP addresses and the names of the machine: a name, <c>*.example.com</c> for its subdomains, or
    /// <c>*</c> for all. Default null: none.
    /// </summary>
    [ConfigKey(ConfigFormat.HostName)]
    public IReadOnlyList<string>? AllowedHosts { get; init; }

    /// <summary>Validates settings.</summary>
    /// <param name="options">The settings.</param>
    /// <returns>The same settings.</returns>
    /// <exception cref="DefinitionException">A value is invalid; lists every error.</exception>
    public static HttpOptions Checked(HttpOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var errors = new ConfigErrorCollector();
        ConfigKeyTable.For(typeof(HttpOptions)).Check(options, "http_options", errors);
        errors.ThrowIfAny();
        return options;
    }

    /// <summary>Describes the settings that differ, by their keys in a config file; empty if none does.</summary>
    /// <param name="other">The settings to compare with.</param>
    public IReadOnlyList<string> DifferencesFrom(HttpOptions other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var keys = ConfigKeyTable.For(typeof(HttpOptions));
        var (mine, others) = (keys.Write(this), keys.Write(other));
        return [.. mine.Select(key => key.Key).Union(others.Select(key => key.Key)).Where(key => !JsonNode.DeepEquals(mine[key], others[key]))
            .Select(key => $"{key} is {Text(mine[key])}, not {Text(others[key])}")];

        static string Text(JsonNode? value) => value?.ToJsonString() ?? "not set";
    }
}
