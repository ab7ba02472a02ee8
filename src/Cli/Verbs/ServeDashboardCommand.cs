using System.CommandLine;

namespace Serve.Cli.Verbs;

/// <summary><c>serve dashboard</c>: prints a link to the dashboard that signs a browser in.</summary>
internal static class ServeDashboardCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console) =>
        new NodeAdminCommand("dashboard", "Print a link to the dashboard of a running node. It signs a browser in once, within a minute.")
            .WithAction(console, async (_, client, cancellationToken) =>
            {
                console.Out.WriteLine(await client.CreateDashboardLinkAsync(cancellationToken));
                return CliExitCode.Ok;
            });
}
