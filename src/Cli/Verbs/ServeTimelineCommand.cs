using System.CommandLine;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve timeline</c>: what ran when, as a Chrome trace.</summary>
internal static class ServeTimelineCommand
{
    private const string ToStandardOutput = "-";

    /// <summary>Makes the verb.</summary>
    /// <param name="console">Where it writes.</param>
    /// <returns>The verb.</returns>
    public static Command Create(CommandConsole console)
    {
        var output = new Option<string>("--output", "-o") { Description = "Where to; - for standard output.", HelpName = "FILE", DefaultValueFactory = _ => "timeline.json" };
        return new ClusterQueryCommand("timeline", "Write what a cluster's tasks and actors did when, for chrome://tracing and https://ui.perfetto.dev.") { output }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                // Read whole first: an error must not leave half a file in place of a good one.
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
