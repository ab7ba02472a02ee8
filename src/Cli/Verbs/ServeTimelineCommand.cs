using System.CommandLine;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve timeline</c>: writes a Chrome trace of the tasks and actors of a cluster.</summary>
internal static class ServeTimelineCommand
{
    private const string ToStandardOutput = "-";

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var output = new Option<string>("--output", "-o") { Description = "Output file; - for standard output.", HelpName = "FILE", DefaultValueFactory = _ => "timeline.json" };
        return new ClusterQueryCommand("timeline", "Write a timeline of the tasks and actors of a cluster, for chrome://tracing and https://ui.perfetto.dev.") { output }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                // Read completely first, so that an error does not replace an existing file by a partial one.
                using var trace = new MemoryStream();
                await client.WriteTimelineAsync(trace, cancellationToken);
                var file = parsed.GetValue(output)!;
                if (file == ToStandardOutput)
                {
                    trace.Position = 0;
                    using var reader = new StreamReader(trace);
                    console.Out.WriteLine(await reader.ReadToEndAsync(cancellationToken));
                    return CliExitCode.Ok;
                }

                await File.WriteAllBytesAsync(file, trace.ToArray(), cancellationToken);
                console.Out.WriteLine($"{file}: {ByteSizeFormatter.Bytes(trace.Length)}. Open it at https://ui.perfetto.dev or chrome://tracing.");
                return CliExitCode.Ok;
            });
    }
}
