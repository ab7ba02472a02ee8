using System.CommandLine;
using Serve.Cli.Display;
using Serve.Cli.Hosting;
using Serve.Controller.Store;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve start</c>: a node in the foreground, a service's way.</summary>
internal static class ServeStartCommand
{
    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console, ShutdownTokens stop)
    {
        var command = new Command("start", "Start a node in the foreground; it brings back what was deployed when it last ran.");
        var options = new NodeCommandOptions(command, IsolationMode.Application, "Default: the user's own, $XDG_STATE_HOME/serve or ~/.local/state/serve.");
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
                console.Out.WriteLine($"bringing back {string.Join(", ", restored)}");
            console.Out.WriteLine("The node is up. Ctrl+C drains and stops it.");
            await console.Out.FlushAsync(CancellationToken.None);
            await ForegroundNodeSession.WaitAsync(node, stop);
            return await ForegroundNodeSession.EndAsync(node, console, stop);
        });
        return command;
    }
}
