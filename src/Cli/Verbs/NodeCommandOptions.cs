using System.CommandLine;
using Serve.Cli.Admin;
using Serve.Cli.Hosting;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary>Options of a node, for <c>run</c> and <c>start</c>.</summary>
internal sealed class NodeCommandOptions
{
    private const double MaxSeconds = 1e9;

    private readonly Option<string?> _httpHost = new("--http-host") { Description = "Address of the gateway. Default 127.0.0.1; other than loopback addresses require a token.", HelpName = "HOST" };
    private readonly Option<int?> _httpPort = Port("--http-port", "Port of the gateway; 0 selects a free one. Default 8000.");
    private readonly Option<string?> _rootPath = new("--root-path") { Description = "Path in front of every route prefix. Default none.", HelpName = "/PATH" };
    private readonly Option<double?> _requestTimeout = NumericOptionParser.Of(
        "--request-timeout-s", "SECONDS", "Maximum duration of a request; afterwards it is answered with 408. Default: no limit.", 0.001, MaxSeconds, "a positive number of seconds");

    private readonly Option<double?> _keepAliveTimeout = NumericOptionParser.Of(
        "--keep-alive-timeout-s", "SECONDS", "Time after which an idle connection is closed. Default 90.", 0.001, MaxSeconds, "a positive number of seconds");

    private readonly Option<long?> _maxBody = NumericOptionParser.Of(
        "--max-request-body-bytes", "BYTES", "Maximum size of a request body; a larger one is answered with 413. Default 30000000.", 1, long.MaxValue, "a positive number of bytes");

    private readonly Option<string?> _adminHost = new("--admin-host") { Description = "Address of the admin API. Default 127.0.0.1; other than loopback addresses require a token.", HelpName = "HOST" };
    private readonly Option<int?> _adminPort = Port("--admin-port", "Port of the admin API; 0 selects a free one. Default 8265.");
    private readonly Option<string?> _stateDir;
    private readonly Option<string?> _nodeName = new("--node-name") { Description = "Name of the node: letters, digits, '-', '_' and '.'. It is kept in the state directory. Default: the name there, or a new one.", HelpName = "NAME" };
    private readonly Option<IsolationMode?> _isolation;
    private readonly NodeResourceOptions _resources;
    private readonly Option<int?> _spareWorkers = NumericOptionParser.Of(
        "--spare-workers", "N", "Number of worker processes that are kept ready for applications whose deployments scale to zero. Default 1; 0 with less than 4 GiB of memory.", 0, 64, "an integer from 0 to 64");

    private readonly Option<long?> _cachedBytes = NumericOptionParser.Of(
        "--cached-bytes", "BYTES", "Maximum size of the models and code of such applications that are kept in the page cache. Default 1 GiB; 0 with less than 4 GiB of memory.", 0, long.MaxValue, "a number of bytes, 0 or more");

    private readonly Option<string?> _tokenFile = new("--token-file")
    {
        Description = $"File with the token that callers of the admin API and of /-/call must present. Default: the variable {NodeAdminAddress.TokenFileVariable}, or the file 'token' of the state directory, which is created.",
        HelpName = "FILE",
    };

    private readonly Option<bool> _noToken = new("--no-token") { Description = "Require no token: every user of the machine can then deploy and run code as the user of the node. On loopback addresses only." };
    private readonly Option<bool> _noDashboard = new("--no-dashboard") { Description = "Serve no dashboard on the port of the admin API." };
    private readonly Option<bool> _readOnlyDashboard = new("--dashboard-read-only") { Description = "Let browsers read the dashboard, but change nothing. Callers that present the token, as this command does, may." };
    private readonly Option<string[]> _allowedHosts = new("--allowed-host")
    {
        Description = "Host name under which the node may be reached, in addition to localhost, IP addresses and the machine's names; *.example.com allows subdomains, * all. Can be specified multiple times.",
        HelpName = "NAME",
        DefaultValueFactory = _ => [],
    };

    private readonly IsolationMode _defaultIsolation;

    /// <summary>Adds the options to a command.</summary>
    /// <param name="command">The command.</param>
    /// <param name="defaultIsolation">Default isolation of replicas.</param>
    /// <param name="stateDirDefault">Help text for the default of the state directory.</param>
    public NodeCommandOptions(Command command, IsolationMode defaultIsolation, string stateDirDefault)
    {
        _defaultIsolation = defaultIsolation;
        _isolation = SharedCommandOptions.Isolation($"Default {defaultIsolation.ToString().ToLowerInvariant()}.");
        _stateDir = new("--state-dir") { Description = $"State directory, with the desired state, packages and logs. {stateDirDefault}", HelpName = "DIR" };
        Option[] all = [_httpHost, _httpPort, _rootPath, _requestTimeout, _keepAliveTimeout, _maxBody, _adminHost, _adminPort, _stateDir, _nodeName, _isolation, _spareWorkers, _cachedBytes, _tokenFile, _noToken, _noDashboard, _readOnlyDashboard, _allowedHosts];
        foreach (var option in all)
            command.Options.Add(option);
        _nodeName.Validators.Add(static result =>
        {
            if (result.Tokens is [{ Value: var name }] && NameRules.NameProblem(name) is { } problem)
                result.AddError($"--node-name {problem}.");
        });
        command.Validators.Add(result =>
        {
            if (result.GetResult(_noToken) is not null && result.GetResult(_tokenFile) is not null)
                result.AddError("--no-token and --token-file cannot be combined.");
        });
        _resources = new(command);
    }

    /// <summary>Reads the options.</summary>
    /// <param name="parsed">The parsed command line.</param>
    public NodeHostSettings Read(ParseResult parsed)
    {
        var isOpen = parsed.GetValue(_noToken);
        var file = isOpen ? null : parsed.GetValue(_tokenFile) ?? Environment.GetEnvironmentVariable(NodeAdminAddress.TokenFileVariable);
        var defaults = new NodeHostSettings();
        return new()
        {
            HttpHost = parsed.GetValue(_httpHost),
            HttpPort = parsed.GetValue(_httpPort),
            RootPath = parsed.GetValue(_rootPath),
            RequestTimeoutS = parsed.GetValue(_requestTimeout),
            KeepAliveTimeoutS = parsed.GetValue(_keepAliveTimeout),
            MaxRequestBodyBytes = parsed.GetValue(_maxBody),
            AdminHost = parsed.GetValue(_adminHost) ?? defaults.AdminHost,
            AdminPort = parsed.GetValue(_adminPort) ?? defaults.AdminPort,
            StateDir = parsed.GetValue(_stateDir),
            NodeName = parsed.GetValue(_nodeName),
            Isolation = parsed.GetValue(_isolation) ?? _defaultIsolation,
            Resources = _resources.Read(parsed),
            SpareWorkers = parsed.GetValue(_spareWorkers),
            CachedBytes = parsed.GetValue(_cachedBytes),
            Token = string.IsNullOrEmpty(file) ? null : NodeTokenFile.Read(file),
            IsOpen = isOpen,
            HasDashboard = !parsed.GetValue(_noDashboard),
            IsDashboardReadOnly = parsed.GetValue(_readOnlyDashboard),
            AllowedHosts = parsed.GetValue(_allowedHosts) is { Length: > 0 } hosts ? hosts : null,
        };
    }

    private static Option<int?> Port(string name, string description) => NumericOptionParser.Of(name, "PORT", description, 0, 65535, "0 to 65535");
}
