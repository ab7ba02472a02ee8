using System.CommandLine;
using System.Text.Json;
using Serve.Admin;
using Serve.Cli.Display;
using Spectre.Console;

namespace Serve.Cli.Verbs;

/// <summary><c>serve status</c>: shows the status of applications, deployments and replicas.</summary>
internal static class ServeStatusCommand
{
    private static readonly TimeSpan WatchInterval = TimeSpan.FromSeconds(1);

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var json = SharedCommandOptions.Json();
        var watch = new Option<bool>("--watch", "-w") { Description = "Follow the status until Ctrl+C: redrawn on a terminal, printed on each change elsewhere." };
        return new NodeAdminCommand("status", "Show the status of applications, deployments and replicas.") { json, watch }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                Func<ServeInstanceDetails, string> write = parsed.GetValue(json) ? ToJson : ToText;
                if (!parsed.GetValue(watch))
                    console.Out.WriteLine(write(await client.GetStatusAsync(cancellationToken)));
                else if (console.IsInteractive && !parsed.GetValue(json))
                    await AnsiConsole.Live(new Text("")).StartAsync(live => WatchAsync(client, write, text => Redraw(live, text), cancellationToken));
                else
                    await WatchAsync(client, write, console.Out.WriteLine, cancellationToken);
                return CliExitCode.Ok;
            });
    }

    private static string ToJson(ServeInstanceDetails instance) => JsonSerializer.Serialize(instance, ServeJson.Options);

    private static string ToText(ServeInstanceDetails instance)
    {
        IEnumerable<string> configErrors = instance.ConfigDirectory is { Errors.Count: > 0 } config
            ? [$"The configuration of {config.Path} is not applied:", .. config.Errors.Select(error => $"  {error}")]
            : [];
        return string.Join(Environment.NewLine, configErrors.Concat(instance.Applications.Count == 0
            ? ["No applications are deployed. Deploy one with 'serve deploy TARGET'."]
            : instance.Applications.Values
                .OrderBy(application => application.Name, StringComparer.Ordinal)
                .SelectMany(application => ApplicationStatusText.Full(instance, application))));
    }

    private static void Redraw(LiveDisplayContext live, string text)
    {
        live.UpdateTarget(new Text(text));
        live.Refresh();
    }

    private static async Task WatchAsync(
        AdminClient client, Func<ServeInstanceDetails, string> write, Action<string> show, CancellationToken cancellationToken)
    {
        string? shown = null;
        try
        {
            while (true)
            {
                var text = write(await client.GetStatusAsync(cancellationToken));
                if (text != shown)
                    show(text);
                shown = text;
                await Task.Delay(WatchInterval, TimeProvider.System, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // Ctrl+C ends --watch.
        }
    }
}
