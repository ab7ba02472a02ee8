using System.CommandLine;

namespace Serve.Cli.Verbs;

/// <summary><c>serve drain</c>: takes the node out of load balancing before it is stopped.</summary>
internal static class ServeDrainCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var settle = NumericOptionParser.Of("--settle", "SECONDS", "Time to wait afterwards, in which the node still serves and load balancers notice. Default 5.", 0, 1e5, "a number of seconds, 0 or more");
        return new NodeAdminCommand("drain", "Report the node as not ready while it keeps serving, for load balancers, before it is stopped.") { settle }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                await client.DrainAsync(cancellationToken);
                await Task.Delay(TimeSpan.FromSeconds(parsed.GetValue(settle) ?? 5), TimeProvider.System, cancellationToken);
                console.Out.WriteLine("The node is not ready any more and still serves. Stop it with 'serve stop' or SIGTERM.");
                return CliExitCode.Ok;
            });
    }
}
