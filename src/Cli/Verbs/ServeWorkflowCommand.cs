using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Admin;
using Serve.Cli.Admin;
using Serve.Cli.Display;
using Serve.Hosting;

namespace Serve.Cli.Verbs;

/// <summary><c>serve workflow …</c>: lists and manages the workflows of a program of this user, or of a node.</summary>
internal static class ServeWorkflowCommand
{
    private const int ShownText = 120;
    private static readonly JsonSerializerOptions Indented = new(ServeJson.State) { WriteIndented = true };

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console) => new("workflow", "List and manage the durable workflows of a program or node.")
    {
        CreateList(console),
        CreateStatus(console),
        CreateHistory(console),
        CreateOutput(console),
        CreateRun(console),
        Change(console, "resume", "Resume a failed, canceled or blocked workflow.", static (id, _) => (HttpMethod.Post, $"/{id}/resume"), "resumed"),
        CreateResumeAll(console),
        CreateCancel(console),
        Change(console, "delete", "Delete an ended workflow with its history.", static (id, _) => (HttpMethod.Delete, $"/{id}"), "deleted"),
        CreateSend(console, "send-event", "events", "EVENT", "Send an event to a workflow.", "null", "The event as JSON; '-' reads standard input. Default null."),
        CreateSend(console, "signal", "signals", "SIGNAL", "Call a signal method of a workflow.", "[]", "Its arguments as a JSON array; '-' reads standard input. Default []."),
    };

    private static WorkflowCommand CreateList(CommandConsole console)
    {
        var status = new Option<string?>("--status") { Description = "Only workflows with this status: running, successful, failed, canceled or blocked.", HelpName = "STATUS" };
        var metadata = new Option<string[]>("--metadata") { Description = "Only workflows with this metadata. Can be specified multiple times.", HelpName = "KEY=VALUE" };
        var limit = NumericOptionParser.Of("--limit", "N", "Maximum number of workflows, 1 to 10000. Default 100.", 1, 10_000, "a number from 1 to 10000");
        var after = new Option<string?>("--after") { Description = "Only workflows after this id, in the order of ids.", HelpName = "ID" };
        var json = SharedCommandOptions.Json();
        var command = new WorkflowCommand("list", "List workflows in the order of their ids.") { status, metadata, limit, after, json };
        return command.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var query = new List<string> { $"limit={parsed.GetValue(limit) ?? 100}" };
            if (parsed.GetValue(status) is { } wanted)
                query.Add($"status={Uri.EscapeDataString(wanted)}");
            if (parsed.GetValue(after) is { } last)
                query.Add($"after={Uri.EscapeDataString(last)}");
            query.AddRange(SplitPairs(parsed.GetValue(metadata)).Select(pair => $"metadata.{Uri.EscapeDataString(pair.Key)}={Uri.EscapeDataString(pair.Value)}"));
            var (found, _) = await client.SendAsync(HttpMethod.Get, "?" + string.Join('&', query), cancellationToken: cancellationToken);
            if (parsed.GetValue(json))
                return Print(console, found);
            var table = new ConsoleTextTable("ID", "WORKFLOW", "STATUS", "STARTED (UTC)", "ENDED (UTC)", "ERROR");
            foreach (var workflow in found.EnumerateArray())
                table.Add(Text(workflow, "id"), Text(workflow, "name"), Text(workflow, "status"), Time(workflow, "created"), Time(workflow, "ended"), ErrorOf(workflow));
            table.Write(console);
            return CliExitCode.Ok;
        });
    }

    private static WorkflowCommand CreateStatus(CommandConsole console)
    {
        var (id, json) = (Id(), SharedCommandOptions.Json());
        return new WorkflowCommand("status", "Show the status of a workflow.") { id, json }.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var (workflow, _) = await client.SendAsync(HttpMethod.Get, PathOf(parsed, id), cancellationToken: cancellationToken);
            if (parsed.GetValue(json))
                return Print(console, workflow);
            console.Out.WriteLine($"{Text(workflow, "id")}: {Text(workflow, "status")}");
            console.Out.WriteLine($"  workflow: {Text(workflow, "name")}, version {Text(workflow, "version")}, run {Text(workflow, "run")}");
            console.Out.WriteLine($"  started:  {Time(workflow, "created")}{(Time(workflow, "ended") is { Length: > 0 } ended ? $", ended: {ended}" : "")} (UTC)");
            if (Text(workflow, "parent") is { Length: > 0 } parent)
                console.Out.WriteLine($"  parent:   {parent}");
            foreach (var pair in workflow.GetProperty("metadata").EnumerateObject())
                console.Out.WriteLine($"  {pair.Name} = {pair.Value}");
            if (ErrorOf(workflow) is { Length: > 0 } error)
                console.Out.WriteLine($"  error:    {error}");
            return CliExitCode.Ok;
        });
    }

    private static WorkflowCommand CreateHistory(CommandConsole console)
    {
        var (id, json) = (Id(), SharedCommandOptions.Json());
        return new WorkflowCommand("history", "List the logged entries of a workflow: results of steps, events, signals, timers.") { id, json }.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var (entries, _) = await client.SendAsync(HttpMethod.Get, PathOf(parsed, id) + "/history", cancellationToken: cancellationToken);
            if (parsed.GetValue(json))
                return Print(console, entries);
            var table = new ConsoleTextTable("#", "ENTRY", "NAME", "AT (UTC)", "DURATION", "ATTEMPTS", "ERROR");
            foreach (var entry in entries.EnumerateArray())
            {
                var isStep = entry.GetProperty("attempts").GetInt32() > 0;
                var duration = entry.GetProperty("ended").GetDateTimeOffset() - entry.GetProperty("started").GetDateTimeOffset();
                table.Add(
                    Text(entry, "position"), Text(entry, "kind"), Text(entry, "name"), Time(entry, "ended"),
                    isStep ? string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.###} s") : "", isStep ? Text(entry, "attempts") : "", ErrorOf(entry));
            }

            table.Write(console);
            return CliExitCode.Ok;
        });
    }

    private static WorkflowCommand CreateOutput(CommandConsole console)
    {
        var id = Id();
        var step = new Option<string?>("--step") { Description = "Name of a step, for example BookFlight_1, instead of the workflow's result.", HelpName = "STEP" };
        var wait = NumericOptionParser.Of("--wait", "SECONDS", "Maximum wait for the end of the workflow, in seconds. Default 0.", 0, 86_400, "a number of seconds up to 86400");
        return new WorkflowCommand("output", "Print the result of a workflow, or of one of its steps, as JSON.") { id, step, wait }.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var query = parsed.GetValue(step) is { } name ? $"?step={Uri.EscapeDataString(name)}" : $"?wait_s={parsed.GetValue(wait) ?? 0}";
            return await PrintOutputAsync(console, client, PathOf(parsed, id) + "/output" + query, cancellationToken);
        });
    }

    private static WorkflowCommand CreateRun(CommandConsole console)
    {
        var name = new Argument<string>("WORKFLOW") { Description = "Name of the workflow: its class, unless [Workflow] names it." };
        var arguments = new Argument<string?>("ARGUMENTS") { Description = "Arguments as a JSON array; '-' reads standard input. Default [].", Arity = ArgumentArity.ZeroOrOne };
        var id = new Option<string?>("--id") { Description = "Id of the workflow. Running the same one again attaches to it. Default: a new id.", HelpName = "ID" };
        var metadata = new Option<string[]>("--metadata") { Description = "Metadata for lists. Can be specified multiple times.", HelpName = "KEY=VALUE" };
        var noWait = SharedCommandOptions.NoWait();
        return new WorkflowCommand("run", "Start a workflow, wait for its end and print its result as JSON.") { name, arguments, id, metadata, noWait }.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var start = new JsonObject
            {
                ["name"] = parsed.GetValue(name),
                ["arguments"] = ParseJson(await ReadAsync(parsed.GetValue(arguments) ?? "[]", cancellationToken), "ARGUMENTS"),
                ["id"] = parsed.GetValue(id),
                ["metadata"] = new JsonObject(SplitPairs(parsed.GetValue(metadata)).Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value))),
            };
            var (workflow, _) = await client.SendAsync(HttpMethod.Post, "", start.ToJsonString(), cancellationToken: cancellationToken);
            var started = Text(workflow, "id");
            if (!parsed.GetValue(noWait))
                return await PrintOutputAsync(console, client, $"/{started}/output?wait_s=86400", cancellationToken);
            console.Out.WriteLine(started);
            return CliExitCode.Ok;
        });
    }

    private static WorkflowCommand CreateResumeAll(CommandConsole console)
    {
        var failed = new Option<bool>("--include-failed") { Description = "Also resume failed workflows." };
        return new WorkflowCommand("resume-all", "Resume all blocked workflows; interrupted ones resume by themselves.") { failed }.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var (ids, _) = await client.SendAsync(HttpMethod.Post, $"/resume?include_failed={(parsed.GetValue(failed) ? "true" : "false")}", cancellationToken: cancellationToken);
            foreach (var id in ids.EnumerateArray())
                console.Out.WriteLine($"{id.GetString()}: resumed");
            return CliExitCode.Ok;
        });
    }

    private static WorkflowCommand CreateCancel(CommandConsole console)
    {
        var reason = new Option<string>("--reason") { Description = "Reason, which waiters receive. Default: it was canceled with 'serve workflow cancel'.", DefaultValueFactory = _ => "it was canceled with 'serve workflow cancel'" };
        var command = Change(
            console, "cancel", "Cancel a workflow; its code may run compensating steps.",
            (id, parsed) => (HttpMethod.Post, $"/{id}/cancel?reason={Uri.EscapeDataString(parsed.GetValue(reason)!)}"), "cancel requested");
        command.Options.Add(reason);
        return command;
    }

    private static WorkflowCommand CreateSend(CommandConsole console, string verb, string path, string nameOf, string description, string otherwise, string payloadDescription)
    {
        var id = Id();
        var name = new Argument<string>(nameOf) { Description = "Its name." };
        var payload = new Argument<string?>("JSON") { Description = payloadDescription, Arity = ArgumentArity.ZeroOrOne };
        var key = new Option<string?>("--idempotency-key") { Description = "A second event or signal with the same key is dropped.", HelpName = "KEY" };
        return new WorkflowCommand(verb, description) { id, name, payload, key }.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var json = await ReadAsync(parsed.GetValue(payload) ?? otherwise, cancellationToken);
            ParseJson(json, "JSON");
            await client.SendAsync(
                HttpMethod.Post, $"{PathOf(parsed, id)}/{path}/{Uri.EscapeDataString(parsed.GetValue(name)!)}", json, parsed.GetValue(key), cancellationToken);
            console.Out.WriteLine($"{parsed.GetValue(id)}: accepted");
            return CliExitCode.Ok;
        });
    }

    private static WorkflowCommand Change(CommandConsole console, string verb, string description, Func<string, ParseResult, (HttpMethod Method, string Path)> request, string done)
    {
        var id = Id();
        return new WorkflowCommand(verb, description) { id }.WithAction(console, async (parsed, client, cancellationToken) =>
        {
            var (method, path) = request(Uri.EscapeDataString(parsed.GetValue(id)!), parsed);
            await client.SendAsync(method, path, cancellationToken: cancellationToken);
            console.Out.WriteLine($"{parsed.GetValue(id)}: {done}");
            return CliExitCode.Ok;
        });
    }

    private static async Task<int> PrintOutputAsync(CommandConsole console, WorkflowClient client, string path, CancellationToken cancellationToken)
    {
        var (output, isOpen) = await client.SendAsync(HttpMethod.Get, path, cancellationToken: cancellationToken);
        if (!isOpen)
            return Print(console, output);
        console.WriteErrors($"workflow '{Text(output, "id")}' is still running. Wait for it with --wait.");
        return CliExitCode.Failed;
    }

    private static int Print(CommandConsole console, JsonElement document)
    {
        console.Out.WriteLine(JsonSerializer.Serialize(document, Indented));
        return CliExitCode.Ok;
    }

    private static Argument<string> Id() => new("ID") { Description = "Id of the workflow." };

    private static string PathOf(ParseResult parsed, Argument<string> id) => "/" + Uri.EscapeDataString(parsed.GetValue(id)!);

    private static async Task<string> ReadAsync(string text, CancellationToken cancellationToken) => text == "-" ? await Console.In.ReadToEndAsync(cancellationToken) : text;

    private static JsonNode? ParseJson(string json, string argument)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException invalid)
        {
            throw new CommandFailedException($"{argument} must be JSON, but was '{json}': {invalid.Message}", CliExitCode.Usage, invalid);
        }
    }

    private static Dictionary<string, string> SplitPairs(string[]? pairs)
    {
        var split = new Dictionary<string, string>();
        foreach (var pair in pairs ?? [])
        {
            var end = pair.IndexOf('=', StringComparison.Ordinal);
            split[end > 0 ? pair[..end] : throw new CommandFailedException($"--metadata must be KEY=VALUE, but was '{pair}'.", CliExitCode.Usage)] = pair[(end + 1)..];
        }

        return split;
    }

    private static string Text(JsonElement document, string name) => document.TryGetProperty(name, out var value) ? value.ToString() : "";

    private static string Time(JsonElement document, string name) =>
        document.TryGetProperty(name, out var value) ? value.GetDateTimeOffset().UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture) : "";

    private static string ErrorOf(JsonElement document) => document.TryGetProperty("error", out var error) && Text(error, "message") is { } message
        ? message.Length > ShownText ? message[..ShownText] + "…" : message
        : "";

    /// <summary>A command on the workflows of a node (<c>--address</c>), of a program (<c>--pid</c>), or of the only program of this user that runs workflows.</summary>
    private sealed class WorkflowCommand : Command
    {
        private readonly Option<string?> _address = SharedCommandOptions.Address();
        private readonly Option<string?> _tokenFile = SharedCommandOptions.TokenFile();
        private readonly Option<int?> _pid = NumericOptionParser.Of("--pid", "PID", "Process id of a program or worker that runs workflows. Default: the only one of this user.", 1, int.MaxValue, "a process id");

        public WorkflowCommand(string name, string description)
            : base(name, description)
        {
            Options.Add(_address);
            Options.Add(_tokenFile);
            Options.Add(_pid);
        }

        public WorkflowCommand WithAction(CommandConsole console, Func<ParseResult, WorkflowClient, CancellationToken, Task<int>> action)
        {
            this.SetGuardedAction(console, async (parsed, cancellationToken) =>
            {
                using var client = Open(parsed.GetValue(_address), parsed.GetValue(_tokenFile), parsed.GetValue(_pid));
                return await action(parsed, client, cancellationToken);
            });
            return this;
        }

        private static WorkflowClient Open(string? address, string? tokenFile, int? pid)
        {
            if (pid is null && (address is not null || Environment.GetEnvironmentVariable(NodeAdminAddress.AddressVariable) is { Length: > 0 }))
                return NodeAdminAddress.Find(address, tokenFile).OpenWorkflows();
            var all = LocalApiAnnouncement.OfWorkflowHosts().Find();
            return all.Where(host => pid is null || host.Pid == pid).ToArray() switch
            {
                [var only] => new(only.Address, new() { Token = only.Token }),
                [] => throw new CommandFailedException(
                    $"{(pid is null ? "No program of this user runs workflows" : $"Process {pid} runs no workflows")}{(all.Count > 0 ? $". Running: {Describe(all)}" : "")}. A program announces them half a second after StartWorkflows.",
                    CliExitCode.NoNode),
                var several => throw new CommandFailedException($"{several.Length} programs run workflows: {Describe(several)}. Choose one with --pid.", CliExitCode.Usage),
            };
        }

        private static string Describe(IEnumerable<LocalApiAnnouncement> hosts) => string.Join(", ", hosts.Select(host => $"{host.Program} (pid {host.Pid}, {host.Name})"));
    }
}
