using System.CommandLine;

namespace Serve.Cli.Verbs;

/// <summary><c>serve logs APP[/DEPLOYMENT[/REPLICA]]</c>.</summary>
internal static class ServeLogsCommand
{
    private const int DefaultTail = 100;

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var source = new Argument<string>("APP[/DEPLOYMENT[/REPLICA]]") { Description = "Application, deployment or replica." };
        source.Validators.Add(result =>
        {
            var parts = result.GetValueOrDefault<string>().Split('/');
            if (parts.Length > 3 || parts.Any(part => part.Length == 0))
                result.AddError($"'{result.GetValueOrDefault<string>()}': expected APP, APP/DEPLOYMENT or APP/DEPLOYMENT/REPLICA.");
        });
        var follow = new Option<bool>("--follow", "-f") { Description = "Follow the log until Ctrl+C." };
        var tail = NumericOptionParser.Of("--tail", "LINES", $"Number of existing lines to print. Default {DefaultTail}.", 0, int.MaxValue, "0 or more lines");
        return new NodeAdminCommand("logs", "Print the logs of replicas.") { source, follow, tail }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var parts = parsed.GetValue(source)!.Split('/');
                var lines = client.ReadLogsAsync(
                    parts[0], parts.ElementAtOrDefault(1), parts.ElementAtOrDefault(2), parsed.GetValue(tail) ?? DefaultTail, parsed.GetValue(follow), cancellationToken);
                try
                {
                    await foreach (var line in lines)
                    {
                        console.Out.WriteLine(line);
                        // The reader of a pipe must not wait for a full buffer.
                        await console.Out.FlushAsync(cancellationToken);
                    }
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    // Ctrl+C ends --follow.
                }

                return CliExitCode.Ok;
            });
    }
}
