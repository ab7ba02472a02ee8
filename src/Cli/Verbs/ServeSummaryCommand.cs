using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve summary [tasks|actors|objects]</c>: counts tasks, actors and objects of a cluster.</summary>
internal static class ServeSummaryCommand
{
    private static readonly string[] Kinds = ["tasks", "actors", "objects"];

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var kind = new Argument<string?>("KIND") { Description = "tasks, actors or objects. Default: all of them, and the resources.", Arity = ArgumentArity.ZeroOrOne };
        SharedCommandOptions.AcceptOnly(kind, Kinds);
        var json = SharedCommandOptions.Json();
        return new ClusterQueryCommand("summary", "Count the tasks of a cluster by function, its actors by class, and its objects.") { kind, json }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var summary = await client.GetSummaryAsync(cancellationToken);
                if (parsed.GetValue(json))
                    console.Out.WriteLine(JsonSerializer.Serialize(Part(summary, parsed.GetValue(kind)), ServeJson.State));
                else
                    Write(console, summary, parsed.GetValue(kind));
                return CliExitCode.Ok;
            });
    }

    private static object Part(ClusterSummary summary, string? kind) => kind switch
    {
        "tasks" => summary.Tasks,
        "actors" => summary.Actors,
        "objects" => new { summary.Objects, summary.ObjectBytes },
        _ => summary,
    };

    internal static void Write(CommandConsole console, ClusterSummary summary, string? kind)
    {
        if (kind is null)
        {
            var resources = new ConsoleTextTable("Resource", "Free", "Total");
            foreach (var (resource, use) in summary.Resources)
                resources.Add(resource, ClusterStateTables.Amount(resource, use.Available), ClusterStateTables.Amount(resource, use.Total));
            resources.Write(console);
        }

        if (kind is null or "tasks")
            WriteCounts(console, "Task", "No tasks.", summary.Tasks);
        if (kind is null or "actors")
            WriteCounts(console, "Actor", "No actors.", summary.Actors);
        if (kind is null or "objects")
            WriteObjects(console, summary);
    }

    private static void WriteCounts<TPhase>(
        CommandConsole console, string title, string none, IReadOnlyDictionary<string, System.Collections.Immutable.ImmutableSortedDictionary<TPhase, long>> counts)
        where TPhase : struct, Enum
    {
        if (counts.Count == 0)
        {
            console.Out.WriteLine(none);
            return;
        }

        var phases = Enum.GetValues<TPhase>();
        var table = new ConsoleTextTable([title, .. phases.Select(phase => ApplicationStatusText.Upper(phase))]);
        foreach (var (name, states) in counts)
            table.Add([name, .. phases.Select(phase => states.TryGetValue(phase, out var count) ? count.ToString(CultureInfo.InvariantCulture) : "")]);
        table.Write(console);
    }

    private static void WriteObjects(CommandConsole console, ClusterSummary summary)
    {
        if (summary.Objects.Count == 0)
        {
            console.Out.WriteLine("No objects.");
            return;
        }

        var table = new ConsoleTextTable("Objects in", "Count", "Size");
        foreach (var (place, count) in summary.Objects)
            table.Add(place, count.ToString(CultureInfo.InvariantCulture), ByteSizeFormatter.Bytes(summary.ObjectBytes.GetValueOrDefault(place)));
        table.Write(console);
    }
}
