using Serve.Http;
using Serve.Nodes;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Cli.Hosting;

/// <summary>How a node is to run, as the command line says it.</summary>
internal sealed record NodeHostSettings
{
    /// <summary>Where the gateway listens; null leaves it to the config file, or the default.</summary>
    public string? HttpHost { get; init; }

    /// <summary>The gateway's port; 0 takes a free one; null as for <see cref="HttpHost"/>.</summary>
    public int? HttpPort { get; init; }

    /// <summary>Where the admin API listens.</summary>
    public string AdminHost { get; init; } = "127.0.0.1";

    /// <summary>The admin API's port; 0 takes a free one.</summary>
    public int AdminPort { get; init; } = 8265;

    /// <summary>Keeps what is deployed; null for the default of the verb.</summary>
    public string? StateDir { get; init; }

    /// <summary>Where replicas live unless an application says otherwise.</summary>
    public IsolationMode Isolation { get; init; } = IsolationMode.Application;

    /// <summary>What the node has for replicas, tasks and actors to reserve.</summary>
    public ResourceDemand Resources { get => field ??= ResourceDemandFactory.TotalOf(new()); init; }

    /// <summary>What callers present; null for nothing, on loopback only.</summary>
    public string? Token { get; init; }

    /// <summary>Host names that the guarded interfaces accept beside the loopback ones.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>How the gateway is to listen: the command line wins over the file.</summary>
    /// <param name="file">What a config file says, or the defaults.</param>
    /// <returns>The options.</returns>
    public HttpOptions Http(HttpOptions file) => file with { Host = HttpHost ?? file.Host, Port = HttpPort ?? file.Port };

    /// <summary>Refuses to listen beyond this machine without a token.</summary>
    /// <param name="httpHost">Where the gateway is going to listen.</param>
    /// <exception cref="CommandFailedException">It would be open to everybody.</exception>
    public void CheckExposure(string httpHost)
    {
        if (Token is not null)
            return;
        foreach (var (host, option) in new[] { (httpHost, "--http-host"), (AdminHost, "--admin-host") })
        {
            if (!RequestGuard.IsLoopback(host))
            {
                throw new CommandFailedException(
                    $"{option} {host} listens beyond this machine, which needs a token: --token-file FILE. One is made by: (umask 077; openssl rand -hex 32 > serve.token)",
                    CliExitCode.Usage);
            }
        }
    }

    /// <summary>Who may talk to the guarded interfaces.</summary>
    /// <param name="listeningHost">The host that is listened on: who binds a name or an address means to be called by it.</param>
    /// <returns>The guard's options.</returns>
    public RequestGuardOptions Guard(string listeningHost) => new() { Token = Token, AllowedHosts = [.. AllowedHosts, listeningHost] };
}
