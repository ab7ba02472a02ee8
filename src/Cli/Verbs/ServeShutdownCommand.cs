using System.CommandLine;
using System.Text.Json;
using Serve.Admin;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve shutdown</c>, and <c>serve stop</c>, which is the same in fewer words.</summary>
internal static class ServeShutdownCommand
{
    /// <summary>Makes <c>shutdown</c>: lists what was ended.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console)
    {
        var json = SharedCommandOptions.Json();
        var timeout = SharedCommandOptions.TimeoutSeconds();
        return new NodeAdminCommand("shutdown", "Drain and end the node and everything on it; return when nothing of it is left, and say what was ended.") { json, timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var report = await EndAsync(client, SharedCommandOptions.Timeout(parsed, timeout), cancellationToken);
                if (parsed.GetValue(json))
                    console.Out.WriteLine(JsonSerializer.Serialize(report, ServeJson.Options));
                else
                    ShutdownReportText.Write(report, console.Out);
                return CliExitCode.Ok;
            });
    }

    /// <summary>Makes <c>stop</c>.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command CreateStop(CommandConsole console)
    {
        var timeout = SharedCommandOptions.TimeoutSeconds();
        return new NodeAdminCommand("stop", "Ask the node to drain and end. What is deployed comes back with the next 'serve start'.") { timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var report = await EndAsync(client, SharedCommandOptions.Timeout(parsed, timeout), cancellationToken);
                console.Out.WriteLine($"The node (process {report.NodePid}) has ended.");
                return CliExitCode.Ok;
            });
    }

    private static async Task<NodeShutdownReport> EndAsync(AdminClient client, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            var report = await client.ShutdownAsync(limit.Token);
            await NodeExitWaiter.WaitAsync(client, report, TimeProvider.System, limit.Token);
            return report;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CommandFailedException($"The node has not ended within {timeout.TotalSeconds} s; it goes on draining. Its own terminal or log tells more.");
        }
    }
}
