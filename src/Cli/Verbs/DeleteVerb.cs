using System.CommandLine;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve delete APP</c>.</summary>
internal static class DeleteVerb
{
    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CliConsole console)
    {
        var application = new Argument<string>("APP") { Description = "The application." };
        var (noWait, timeout) = (SharedOptions.NoWait(), SharedOptions.TimeoutSeconds());
        return new NodeCommand("delete", "Drain an application and remove it; wait until it is gone.") { application, noWait, timeout }
            .Runs(console, async (parsed, client, cancellationToken) =>
            {
                var name = parsed.GetValue(application)!;
                await client.DeleteAsync(name, cancellationToken);
                if (parsed.GetValue(noWait))
                    return ExitCode.Ok;
                var limit = SharedOptions.Timeout(parsed, timeout);
                var gone = await new DeployProgress(client, console, TimeProvider.System).WaitAsync(
                    [name], instance => !instance.Applications.ContainsKey(name), limit, cancellationToken);
                if (gone is null)
                    throw new CliException($"{name} is still draining after {limit.TotalSeconds} s; it goes on. 'serve status' tells how far it is.");
                console.Out.WriteLine($"{name} is deleted.");
                return ExitCode.Ok;
            });
    }
}
