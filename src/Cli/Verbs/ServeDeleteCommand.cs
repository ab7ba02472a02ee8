using System.CommandLine;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve delete APP</c>.</summary>
internal static class ServeDeleteCommand
{
    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console)
    {
        var application = new Argument<string>("APP") { Description = "The application." };
        var (noWait, timeout) = (SharedCommandOptions.NoWait(), SharedCommandOptions.TimeoutSeconds());
        return new NodeAdminCommand("delete", "Drain an application and remove it; wait until it is gone.") { application, noWait, timeout }
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
                    throw new CommandFailedException($"{name} is still draining after {limit.TotalSeconds} s; it goes on. 'serve status' tells how far it is.");
                console.Out.WriteLine($"{name} is deleted.");
                return CliExitCode.Ok;
            });
    }
}
