using System.CommandLine;
using Serve.Cli.Display;
using Serve.Cli.Hosting;
using Serve.Controller.Store;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve start</c>: runs a node in the foreground, as a service does.</summary>
internal static class ServeStartCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    /// <param name="stop">Stops the node.</param>
    public static Command Create(CommandConsole console, ShutdownTokens stop)
    {
        var command = new Command("start", "Start a node in the foreground, and restore the applications of its state directory.");
        var options = new NodeCommandOptions(command, IsolationMode.Application, "Default: $XDG_STATE_HOME/serve or ~/.local/state/serve.");
        var config = new Option<string?>("--config")
        {
            Description = "Config file (.yaml): its http_options apply unless an option overrides them. If it lists applications, they are deployed at the start, and all others are deleted.",
            HelpName = "FILE",
        };
        var configDir = new Option<string?>("--config-dir")
        {
            Description = "Directory of config files (*.yaml), applied together whenever they change: applications that they do not list are deleted. Without files nothing is applied.",
            HelpName = "DIR",
        };
        command.Options.Add(config);
        command.Options.Add(configDir);
        command.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            var settings = options.Read(parsed);
            var directory = parsed.GetValue(configDir) is { } given ? Path.GetFullPath(given) : null;
            if (directory is not null && !Directory.Exists(directory))
                throw new CommandFailedException($"--config-dir: there is no directory '{directory}'.", CliExitCode.Usage);
            var deploy = parsed.GetValue(config) is { } file ? DeployCommandTarget.LoadNodeConfig(file) : null;
            if (deploy is not null && directory is not null)
                throw new CommandFailedException("--config and --config-dir cannot be combined.", CliExitCode.Usage);
            var http = settings.Http(directory is null ? deploy?.Config.HttpOptions ?? new HttpOptions() : ConfigDirectoryWatcher.ReadHttpOptions(directory));
            settings.CheckExposure(http.Host);
            var nodeConsole = new NodeConsoleLogging(console.Error, isDevelopment: false);
            await using var node = await NodeHost.StartAsync(
                settings, http, settings.StateDir ?? NodeStateDirectory.DefaultPath(), null, new BuildProgressLine(console), nodeConsole, cancellationToken);
            console.Out.WriteLine($"gateway  {node.Addresses.Gateway}");
            console.Out.WriteLine($"admin    {node.Addresses.Admin}  (Swagger UI at /docs)");
            if (node.DashboardAddress is { } dashboard)
                console.Out.WriteLine($"dashboard {dashboard}  ('serve dashboard' prints a link that signs in)");
            console.Out.WriteLine($"state    {node.StatePath}");
            if (node.TokenFile is { } token)
                console.Out.WriteLine($"token    {token}");
            if (node.Controller.GetDetails().Applications.Keys.Order(StringComparer.Ordinal).ToList() is { Count: > 0 } restored)
                console.Out.WriteLine($"restoring {string.Join(", ", restored)}");
            console.Out.WriteLine("The node is up. Ctrl+C drains and stops it.");
            await console.Out.FlushAsync(CancellationToken.None);
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop.Requested, node.Controller.ShutdownRequested);
            var watch = ServeAsync(node, directory is null ? null : node.WatchConfig(directory, settings), deploy, console, ended.Token);
            var reap = OrphanReaper.RunAsync(TimeProvider.System, ended.Token);
            await ForegroundNodeSession.WaitAsync(node, stop);
            await Task.WhenAll(watch, reap);
            return await ForegroundNodeSession.EndAsync(node, console, stop);
        });
        return command;
    }

    // Ready when the restored applications and those of the config can answer; then follows the config directory.
    private static async Task ServeAsync(
        NodeHost node, ConfigDirectoryWatcher? config, DeployCommandTarget? deploy, CommandConsole console, CancellationToken cancellationToken)
    {
        try
        {
            if (config is not null)
                await config.ApplyAsync(cancellationToken);
            if (deploy is { IsDeclarative: true })
                await ApplyAsync(node, deploy, console, cancellationToken);
            await node.BecomeReadyAsync(cancellationToken);
            if (config is not null)
                await config.WatchAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }

    // A config that cannot be deployed does not stop the node: the restored applications keep serving.
    private static async Task ApplyAsync(NodeHost node, DeployCommandTarget deploy, CommandConsole console, CancellationToken cancellationToken)
    {
        try
        {
            await node.Controller.DeployAsync(deploy.Config with { HttpOptions = null }, cancellationToken);
        }
        catch (DefinitionException invalid)
        {
            console.WriteErrors(["The config was not deployed:", .. invalid.Errors]);
        }
    }
}
