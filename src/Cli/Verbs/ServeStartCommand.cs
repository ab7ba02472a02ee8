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
        var config = new Option<string?>("--config") { Description = "Config file (.yaml): its http_options apply unless an option overrides them, and its applications are deployed once the node is up; all others are deleted.", HelpName = "FILE" };
        command.Options.Add(config);
        command.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            var settings = options.Read(parsed);
            var deploy = parsed.GetValue(config) is { } file ? DeployCommandTarget.LoadConfig(file, null) : null;
            var http = settings.Http(deploy?.Config.HttpOptions ?? new HttpOptions());
            settings.CheckExposure(http.Host);
            var nodeConsole = new NodeConsoleLogging(console.Error, isDevelopment: false);
            await using var node = await NodeHost.StartAsync(
                settings, http, settings.StateDir ?? NodeStateDirectory.DefaultPath(), null, new BuildProgressLine(console), nodeConsole, cancellationToken);
            console.Out.WriteLine($"gateway  {node.Addresses.Gateway}");
            console.Out.WriteLine($"admin    {node.Addresses.Admin}  (Swagger UI at /docs)");
            console.Out.WriteLine($"state    {node.StatePath}");
            if (node.Controller.GetDetails().Applications.Keys.Order(StringComparer.Ordinal).ToList() is { Count: > 0 } restored)
                console.Out.WriteLine($"restoring {string.Join(", ", restored)}");
            console.Out.WriteLine("The node is up. Ctrl+C drains and stops it.");
            await console.Out.FlushAsync(CancellationToken.None);
            if (deploy is not null)
                await ApplyAsync(node, deploy, console, cancellationToken);
            await ForegroundNodeSession.WaitAsync(node, stop);
            return await ForegroundNodeSession.EndAsync(node, console, stop);
        });
        return command;
    }

    // A config that cannot be deployed does not stop the node: what it restored keeps serving.
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
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The node stops.
        }
    }
}
