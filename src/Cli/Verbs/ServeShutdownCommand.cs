using System.CommandLine;
using System.Text.Json;
using Serve.Admin;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve shutdown</c>, and its short form <c>serve stop</c>.</summary>
internal static class ServeShutdownCommand
{
    /// <summary>Creates <c>shutdown</c>, which prints a report.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var json = SharedCommandOptions.Json();
        var timeout = SharedCommandOptions.TimeoutSeconds();
        return new NodeAdminCommand("shutdown", "Drain and stop the node, wait until all of its processes have exited, and print a report.") { json, timeout }
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

    /// <summary>Creates <c>stop</c>.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command CreateStop(CommandConsole console)
    {
        var timeout = SharedCommandOptions.TimeoutSeconds();
        return new NodeAdminCommand("stop", "Drain and stop the node. Its applications are restored by the next 'serve start'.") { timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var report = await EndAsync(client, SharedCommandOptions.Timeout(parsed, timeout), cancellationToken);
                console.Out.WriteLine($"The node (process {report.NodePid}) has stopped.");
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
            throw new CommandFailedException($"The node did not stop within {timeout.TotalSeconds} s and is still draining. See its terminal or log.");
        }
    }
}
