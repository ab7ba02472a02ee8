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
        command.SetGuardedAction(console, async (parsed, cancellationToken) =>
        {
            var settings = options.Read(parsed);
            var http = settings.Http(new HttpOptions());
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
            await ForegroundNodeSession.WaitAsync(node, stop);
            return await ForegroundNodeSession.EndAsync(node, console, stop);
        });
        return command;
    }
}
