using System.CommandLine;

namespace Serve.Cli.Verbs;

/// <summary><c>serve logs APP[/DEPLOYMENT[/REPLICA]]</c>.</summary>
internal static class ServeLogsCommand
{
    private const int DefaultTail = 100;

    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console)
    {
        var source = new Argument<string>("APP[/DEPLOYMENT[/REPLICA]]") { Description = "Whose logs." };
        source.Validators.Add(result =>
        {
            var parts = result.GetValueOrDefault<string>().Split('/');
            if (parts.Length > 3 || parts.Any(part => part.Length == 0))
                result.AddError($"'{result.GetValueOrDefault<string>()}': expected APP, APP/DEPLOYMENT or APP/DEPLOYMENT/REPLICA.");
        });
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on as more is logged, until Ctrl+C." };
        var tail = NumericOptionParser.Of("--tail", "LINES", $"How many lines of what is there already. Default {DefaultTail}.", 0, int.MaxValue, "0 or more lines");
        return new NodeAdminCommand("logs", "Tell what replicas have logged.") { source, follow, tail }
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
                        // Whoever reads through a pipe waits for the line, not for a full buffer.
                        await console.Out.FlushAsync(cancellationToken);
                    }
                }
                catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
                {
                    // Ctrl+C is how following ends.
                }

                return CliExitCode.Ok;
            });
    }
}
