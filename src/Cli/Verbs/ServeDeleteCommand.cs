using System.CommandLine;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve delete APP</c>.</summary>
internal static class ServeDeleteCommand
{
    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var application = new Argument<string>("APP") { Description = "Name of the application." };
        var (noWait, timeout) = (SharedCommandOptions.NoWait(), SharedCommandOptions.TimeoutSeconds());
        return new NodeAdminCommand("delete", "Drain and delete an application, and wait until it is deleted.") { application, noWait, timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var name = parsed.GetValue(application)!;
                await client.DeleteAsync(name, cancellationToken);
                if (parsed.GetValue(noWait))
                    return CliExitCode.Ok;
                var limit = SharedCommandOptions.Timeout(parsed, timeout);
                var gone = await new DeployProgressDisplay(client, console, TimeProvider.System).WaitAsync(
                    [name], instance => !instance.Applications.ContainsKey(name), limit, cancellationToken);
                if (gone is null)
                    throw new CommandFailedException($"{name} is still draining after {limit.TotalSeconds} s, and continues to drain. Run 'serve status' to follow its progress.");
                console.Out.WriteLine($"{name} has been deleted.");
                return CliExitCode.Ok;
            });
    }
}
