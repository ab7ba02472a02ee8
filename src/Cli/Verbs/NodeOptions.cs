using System.CommandLine;
using Serve.Cli.Admin;
using Serve.Cli.Hosting;

namespace Serve.Cli.Verbs;

/// <summary>The options that make a node: those of <c>run</c> and <c>start</c>.</summary>
internal sealed class NodeOptions
{
    private readonly Option<string?> httpHost = new("--http-host") { Description = "Where the gateway listens. Default 127.0.0.1; beyond loopback a token is needed.", HelpName = "HOST" };
    private readonly Option<int?> httpPort = Port("--http-port", "The gateway's port; 0 takes a free one. Default 8000.");
    private readonly Option<string?> adminHost = new("--admin-host") { Description = "Where the admin API listens. Default 127.0.0.1; beyond loopback a token is needed.", HelpName = "HOST" };
    private readonly Option<int?> adminPort = Port("--admin-port", "The admin API's port; 0 takes a free one. Default 8265.");
    private readonly Option<string?> stateDir;
    private readonly Option<IsolationMode?> isolation;
    private readonly ResourceOptions resources;
    private readonly Option<string?> tokenFile = SharedOptions.TokenFile();
    private readonly Option<string[]> allowedHosts = new("--allowed-host")
    {
        Description = "A host name by which the admin API and calls may be reached, beside the loopback ones. May be given again.",
        HelpName = "NAME",
        DefaultValueFactory = _ => [],
    };

    private readonly IsolationMode defaultIsolation;

    /// <summary>Adds the options to a verb.</summary>
    /// <param name="command">The verb.</param>
    /// <param name="defaultIsolation">Where replicas live unless told otherwise.</param>
    /// <param name="stateDirDefault">What is said of the state directory's default.</param>
    public NodeOptions(Command command, IsolationMode defaultIsolation, string stateDirDefault)
    {
        this.defaultIsolation = defaultIsolation;
        isolation = SharedOptions.Isolation($"Default {defaultIsolation.ToString().ToLowerInvariant()}.");
        stateDir = new("--state-dir") { Description = $"Keeps what is deployed, packages and logs. {stateDirDefault}", HelpName = "DIR" };
        Option[] all = [httpHost, httpPort, adminHost, adminPort, stateDir, isolation, tokenFile, allowedHosts];
        foreach (var option in all)
            command.Options.Add(option);
        resources = new(command);
    }

    /// <summary>Reads the options.</summary>
    /// <param name="parsed">The command line.</param>
    /// <returns>The settings.</returns>
    public NodeSettings Read(ParseResult parsed)
    {
        var file = parsed.GetValue(tokenFile) ?? Environment.GetEnvironmentVariable(NodeAddress.TokenFileVariable);
        var defaults = new NodeSettings();
        return new()
        {
            HttpHost = parsed.GetValue(httpHost),
            HttpPort = parsed.GetValue(httpPort),
            AdminHost = parsed.GetValue(adminHost) ?? defaults.AdminHost,
            AdminPort = parsed.GetValue(adminPort) ?? defaults.AdminPort,
            StateDir = parsed.GetValue(stateDir),
            Isolation = parsed.GetValue(isolation) ?? defaultIsolation,
            Resources = resources.Read(parsed),
            Token = string.IsNullOrEmpty(file) ? null : NodeToken.Read(file),
            AllowedHosts = parsed.GetValue(allowedHosts) ?? [],
        };
    }

    private static Option<int?> Port(string name, string description) => NumberOption.Of(name, "PORT", description, 0, 65535, "0 to 65535");
}
