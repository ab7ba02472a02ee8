using System.CommandLine;
using System.Text.Json;
using Serve.Admin;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve shutdown</c>, and <c>serve stop</c>, which is the same in fewer words.</summary>
internal static class ShutdownVerb
{
    /// <summary>Makes <c>shutdown</c>: lists what was ended.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CliConsole console)
    {
        var json = SharedOptions.Json();
        var timeout = SharedOptions.TimeoutSeconds();
        return new NodeCommand("shutdown", "Drain and end the node and everything on it; return when nothing of it is left, and say what was ended.") { json, timeout }
            .Runs(console, async (parsed, client, cancellationToken) =>
            {
                var report = await EndAsync(client, SharedOptions.Timeout(parsed, timeout), cancellationToken);
                if (parsed.GetValue(json))
                    console.Out.WriteLine(JsonSerializer.Serialize(report, ServeJson.Options));
                else
                    EndedText.Write(report, console.Out);
                return ExitCode.Ok;
            });
    }

    /// <summary>Makes <c>stop</c>.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command CreateStop(CliConsole console)
    {
        var timeout = SharedOptions.TimeoutSeconds();
        return new NodeCommand("stop", "Ask the node to drain and end. What is deployed comes back with the next 'serve start'.") { timeout }
            .Runs(console, async (parsed, client, cancellationToken) =>
            {
                var report = await EndAsync(client, SharedOptions.Timeout(parsed, timeout), cancellationToken);
                console.Out.WriteLine($"The node (process {report.NodePid}) has ended.");
                return ExitCode.Ok;
            });
    }

    private static async Task<ShutdownReport> EndAsync(AdminClient client, TimeSpan timeout, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(timeout);
        try
        {
            var report = await client.ShutdownAsync(limit.Token);
            await EndedNode.WaitAsync(client, report, TimeProvider.System, limit.Token);
            return report;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CliException($"The node has not ended within {timeout.TotalSeconds} s; it goes on draining. Its own terminal or log tells more.");
        }
    }
}
