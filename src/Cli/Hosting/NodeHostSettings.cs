using Serve.Http;
using Serve.Nodes;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>Settings of a node from the command line.</summary>
internal sealed record NodeHostSettings
{
    /// <summary>Address of the gateway; null for that of the config file, or the default.</summary>
    public string? HttpHost { get; init; }

    /// <summary>Port of the gateway; 0 selects a free one; null as for <see cref="HttpHost"/>.</summary>
    public int? HttpPort { get; init; }

    /// <summary>Path in front of every route prefix; null as for <see cref="HttpHost"/>.</summary>
    public string? RootPath { get; init; }

    /// <summary>Maximum duration of a request in seconds; null as for <see cref="HttpHost"/>.</summary>
    public double? RequestTimeoutS { get; init; }

    /// <summary>Time after which an idle connection is closed, in seconds; null as for <see cref="HttpHost"/>.</summary>
    public double? KeepAliveTimeoutS { get; init; }

    /// <summary>Maximum size of a request body in bytes; null as for <see cref="HttpHost"/>.</summary>
    public long? MaxRequestBodyBytes { get; init; }

    /// <summary>Address of the admin API.</summary>
    public string AdminHost { get; init; } = "127.0.0.1";

    /// <summary>Port of the admin API; 0 selects a free one.</summary>
    public int AdminPort { get; init; } = 8265;

    /// <summary>State directory; null for the default of the command.</summary>
    public string? StateDir { get; init; }

    /// <summary>The node's name; null for that of the state directory.</summary>
    public string? NodeName { get; init; }

    /// <summary>Default isolation of replicas.</summary>
    public IsolationMode Isolation { get; init; } = IsolationMode.Application;

    /// <summary>Resources that replicas, tasks and actors can reserve.</summary>
    public ResourceDemand Resources { get => field ??= ResourceDemandFactory.TotalOf(new()); init; }

    /// <summary>Number of workers that are kept ready for deployments at zero; null for 1, or 0 where memory is short.</summary>
    public int? SpareWorkers { get; init; }

    /// <summary>Maximum size of the files that are kept in the page cache for them; null for 1 GiB, or 0 where memory is short.</summary>
    public long? CachedBytes { get; init; }

    /// <summary>Whether the machine or container has memory that is not needed.</summary>
    public static bool HasSpareMemory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >= 4L << 30;

    /// <summary>Token that callers must present; null for that of the state directory, on loopback addresses only.</summary>
    public string? Token { get; init; }

    /// <summary>Whether callers need no token, on loopback addresses only.</summary>
    public bool IsOpen { get; init; }

    /// <summary>Whether the admin server has the dashboard.</summary>
    public bool HasDashboard { get; init; } = true;

    /// <summary>Whether browsers may only read.</summary>
    public bool IsDashboardReadOnly { get; init; }

    /// <summary>Host names under which the node may be reached; null as for <see cref="HttpHost"/>.</summary>
    public IReadOnlyList<string>? AllowedHosts { get; init; }

    /// <summary>Overrides HTTP settings by the command line.</summary>
    /// <param name="file">Settings of the config file, or the defaults.</param>
    /// <exception cref="DefinitionException">A setting is invalid.</exception>
    public HttpOptions Http(HttpOptions file) => HttpOptions.Checked(file with
    {
        Host = HttpHost ?? file.Host,
        Port = HttpPort ?? file.Port,
        RootPath = RootPath ?? file.RootPath,
        RequestTimeoutS = RequestTimeoutS ?? file.RequestTimeoutS,
        KeepAliveTimeoutS = KeepAliveTimeoutS ?? file.KeepAliveTimeoutS,
        MaxRequestBodyBytes = MaxRequestBodyBytes ?? file.MaxRequestBodyBytes,
        AllowedHosts = AllowedHosts ?? file.AllowedHosts,
    });

    /// <summary>Requires a token for addresses other than loopback.</summary>
    /// <param name="httpHost">Address of the gateway.</param>
    /// <exception cref="CommandFailedException">A token is required but missing.</exception>
    public void CheckExposure(string httpHost)
    {
        if (Token is not null)
            return;
        foreach (var (host, option) in new[] { (httpHost, HttpHost is null ? "http_options.host" : "--http-host"), (AdminHost, "--admin-host") })
        {
            if (!RequestGuard.IsLoopback(host))
            {
                throw new CommandFailedException(
                    $"{option} {host} is not a loopback address and requires a token: --token-file FILE. Create one with: (umask 077; openssl rand -hex 32 > serve.token)",
                    CliExitCode.Usage);
            }
        }
    }

    /// <summary>Creates the options for the guard of the admin API and calls.</summary>
    /// <param name="http">HTTP settings of the node.</param>
    public RequestGuardOptions Guard(HttpOptions http) => new() { Token = Token, AllowedHosts = http.AllowedHosts ?? [] };
}
