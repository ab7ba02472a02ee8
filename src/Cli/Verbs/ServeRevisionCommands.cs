using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Serve.Admin;
using Serve.Cli.Display;
using Serve.Specs;

namespace Serve.Cli.Verbs;

/// <summary><c>serve history APP</c>, <c>serve diff APP [FROM] [TO]</c>, <c>serve rollback APP [--to REVISION]</c>, <c>serve promote APP</c> and <c>serve canary APP PERCENT</c>.</summary>
internal static class ServeRevisionCommands
{
    /// <summary>Creates <c>history</c>.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command CreateHistory(CommandConsole console)
    {
        var application = Application();
        return new NodeAdminCommand("history", "List the revisions of an application, newest first.") { application }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var table = new ConsoleTextTable("REVISION", "DEPLOYED (UTC)", "CODE", "STATE", "NOTE");
                foreach (var revision in (await client.GetRevisionsAsync(parsed.GetValue(application)!, cancellationToken)).Revisions)
                {
                    table.Add(
                        Text(revision.Revision), DateTimeOffset.FromUnixTimeMilliseconds((long)(revision.DeployedTimeS * 1000)).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
                        revision.CodeHash.Length > 12 ? revision.CodeHash[..12] : revision.CodeHash,
                        State(revision), revision.Note);
                }

                table.Write(console);
                return CliExitCode.Ok;
            });
    }

    private static string State(RevisionDetails revision) => revision switch
    {
        { IsCurrent: true, IsCanary: true } => "current, promoting",
        { IsCurrent: true, IsLastGood: true } => "current, running",
        { IsCurrent: true } => "current",
        { IsCanary: true } => "canary",
        { IsLastGood: true } => "last good",
        { CanaryEnd: { } reason } => $"canary, {reason}",
        _ => "",
    };

    /// <summary>Creates <c>promote</c>.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command CreatePromote(CommandConsole console)
    {
        var application = Application();
        var (noWait, timeout) = (SharedCommandOptions.NoWait(), SharedCommandOptions.TimeoutSeconds());
        return new NodeAdminCommand("promote", "Let the canary of an application replace its stable revision, and wait until that is done.") { application, noWait, timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var name = parsed.GetValue(application)!;
                await client.PromoteAsync(name, cancellationToken);
                if (!parsed.GetValue(noWait))
                    return await WaitUntilSingleAsync(name, client, console, SharedCommandOptions.Timeout(parsed, timeout), cancellationToken);
                console.Out.WriteLine($"{name}: accepted. Run 'serve status' to follow its progress.");
                return CliExitCode.Ok;
            });
    }

    /// <summary>Creates <c>canary</c>.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command CreateCanary(CommandConsole console)
    {
        var application = Application();
        var percent = new Argument<double>("PERCENT")
        {
            Description = "Percent of the requests, for example 25%.",
            CustomParser = static result => NumericOptionParser.ParsePercent(result, "PERCENT") ?? 0,
        };
        return new NodeAdminCommand("canary", "Change the share of an application's canary, and end its automatic promotion.") { application, percent }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var (name, wanted) = (parsed.GetValue(application)!, parsed.GetValue(percent));
                await client.ChangeCanaryAsync(name, wanted, cancellationToken);
                console.Out.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: the canary receives {wanted:0.##} % of the requests."));
                return CliExitCode.Ok;
            });
    }

    // A rollback during a promotion replaces the stable revision again.
    private static async Task<int> WaitUntilSingleAsync(string name, AdminClient client, CommandConsole console, TimeSpan timeout, CancellationToken cancellationToken)
    {
        await new DeployProgressDisplay(client, console, TimeProvider.System).WaitAsync(
            [name], seen => seen.Applications.GetValueOrDefault(name) is null or { Status: ApplicationStatus.DeployFailed } or { Canary: null, Status: ApplicationStatus.Running }, timeout, cancellationToken);
        return await ServeDeployCommand.WaitAsync([name], client, console, TimeSpan.Zero, cancellationToken);
    }

    /// <summary>Creates <c>diff</c>.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command CreateDiff(CommandConsole console)
    {
        var application = Application();
        var from = new Argument<string?>("FROM") { Description = "Number of a revision; default the one before TO.", Arity = ArgumentArity.ZeroOrOne };
        var to = new Argument<string?>("TO") { Description = "Number of a revision; default the current one.", Arity = ArgumentArity.ZeroOrOne };
        return new NodeAdminCommand("diff", "Show what differs between two revisions of an application.") { application, from, to }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var name = parsed.GetValue(application)!;
                var all = (await client.GetRevisionsAsync(name, cancellationToken)).Revisions;
                var newer = Find(all, name, parsed.GetValue(to)) ?? all[0];
                var older = Find(all, name, parsed.GetValue(from)) ?? all.FirstOrDefault(revision => revision.Revision < newer.Revision)
                    ?? throw new CommandFailedException($"Application '{name}' has no revision before {newer.Revision}.");
                var lines = Differences(ConfigOf(older), ConfigOf(newer), "").ToList();
                console.Out.WriteLine($"{name}: revision {older.Revision} -> {newer.Revision}");
                foreach (var line in lines.Count == 0 ? ["  no differences"] : lines)
                    console.Out.WriteLine(line);
                return CliExitCode.Ok;
            });
    }

    /// <summary>Creates <c>rollback</c>.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command CreateRollback(CommandConsole console)
    {
        var application = Application();
        var to = new Option<string?>("--to") { Description = "Number of the revision; default: end the canary if there is one, otherwise the last revision that ran." };
        var (noWait, timeout) = (SharedCommandOptions.NoWait(), SharedCommandOptions.TimeoutSeconds());
        return new NodeAdminCommand("rollback", "End the canary of an application, or deploy an earlier revision again, and wait until it is running.") { application, to, noWait, timeout }
            .WithAction(console, async (parsed, client, cancellationToken) =>
            {
                var name = parsed.GetValue(application)!;
                await client.RollBackAsync(name, Number(parsed.GetValue(to)), cancellationToken);
                if (!parsed.GetValue(noWait))
                    return await ServeDeployCommand.WaitAsync([name], client, console, SharedCommandOptions.Timeout(parsed, timeout), cancellationToken);
                console.Out.WriteLine($"{name}: accepted. Run 'serve status' to follow its progress.");
                return CliExitCode.Ok;
            });
    }

    /// <summary>Returns a line for each value that differs between two JSON documents, by path.</summary>
    internal static IEnumerable<string> Differences(JsonNode? older, JsonNode? newer, string path)
    {
        if (older is JsonObject one && newer is JsonObject other)
        {
            return one.Select(pair => pair.Key).Union(other.Select(pair => pair.Key)).Order(StringComparer.Ordinal)
                .SelectMany(key => Differences(one[key], other[key], path.Length == 0 ? key : $"{path}.{key}"));
        }

        return JsonNode.DeepEquals(older, newer) ? [] : [$"  {path}: {older?.ToJsonString() ?? "-"} -> {newer?.ToJsonString() ?? "-"}"];
    }

    private static Argument<string> Application() => new("APP") { Description = "Name of the application." };

    // Deployments by name, so that their order has no meaning.
    private static JsonObject ConfigOf(RevisionDetails revision)
    {
        var config = ServeConfigWriter.Write(revision.Config with { Note = null, ImportPath = revision.CodeHash });
        config["code"] = config["import_path"]!.DeepClone();
        config.Remove("import_path");
        config["deployments"] = new JsonObject((config["deployments"]?.AsArray() ?? []).Select(deployment => KeyValuePair.Create((string)deployment!["name"]!, (JsonNode?)deployment.DeepClone())));
        return config;
    }

    private static RevisionDetails? Find(IReadOnlyList<RevisionDetails> all, string application, string? text) => Number(text) is not { } number
        ? null
        : all.FirstOrDefault(revision => revision.Revision == number)
            ?? throw new CommandFailedException($"Application '{application}' has no revision {number}. Kept revisions: {string.Join(", ", all.Select(revision => revision.Revision))}.");

    private static long? Number(string? text) => text is null ? null
        : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new CommandFailedException($"'{text}': expected the number of a revision. Run 'serve history APP' to list them.");

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
