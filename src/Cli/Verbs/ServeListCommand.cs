using System.CommandLine;
using System.Text.Json;
using Serve.Admin;
using Serve.Cli.Display;

namespace Serve.Cli.Verbs;

/// <summary><c>serve list tasks|actors|objects|workers|nodes|placement-groups</c>.</summary>
internal static class ServeListCommand
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 10_000;
    private static readonly string[] Kinds = ["tasks", "actors", "objects", "workers", "nodes", "placement-groups"];

    /// <summary>Creates the command.</summary>
    /// <param name="console">Console of the command.</param>
    public static Command Create(CommandConsole console)
    {
        var kind = new Argument<string>("KIND") { Description = string.Join(", ", Kinds) + "." };
        SharedCommandOptions.AcceptOnly(kind, Kinds);
        var filter = new Option<string[]>("--filter", "-f") { Description = "Filter by a field, for example state=FAILED or name!=Demo.Add. Can be specified multiple times; all filters must match.", HelpName = "FIELD=VALUE" };
        filter.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => token.Value.IndexOf('=', StringComparison.Ordinal) < 1))
                result.AddError($"--filter must be FIELD=VALUE or FIELD!=VALUE, but was '{token.Value}'.");
        });
        var limit = NumericOptionParser.Of("--limit", "N", $"Maximum number of entries; the newest are listed. Default {DefaultLimit}.", 1, MaxLimit, $"1 to {MaxLimit}");
        var json = SharedCommandOptions.Json();
        return new ClusterQueryCommand("list", "List the tasks, actors, objects, workers, nodes or placement groups of a cluster.") { kind, filter, limit, json }
            .WithAction(console, (parsed, client, cancellationToken) =>
            {
                var query = new StateListQuery(console, client, parsed.GetValue(kind)!, [.. (parsed.GetValue(filter) ?? []).Select(Condition)], parsed.GetValue(limit) ?? DefaultLimit, parsed.GetValue(json));
                return query.Kind switch
                {
                    "tasks" => query.WriteAsync<TaskState>(ClusterStateTables.Tasks, cancellationToken),
                    "actors" => query.WriteAsync<ActorState>(ClusterStateTables.Actors, cancellationToken),
                    "objects" => query.WriteAsync<ObjectState>(ClusterStateTables.Objects, cancellationToken),
                    "workers" => query.WriteAsync<WorkerState>(ClusterStateTables.Workers, cancellationToken),
                    "nodes" => query.WriteAsync<NodeState>(ClusterStateTables.Nodes, cancellationToken),
                    _ => query.WriteAsync<PlacementGroupState>(ClusterStateTables.PlacementGroups, cancellationToken),
                };
            });
    }

    private static StateFilterCondition Condition(string text)
    {
        var sign = text.IndexOf('=', StringComparison.Ordinal);
        return text[sign - 1] == '!' ? new(text[..(sign - 1)], text[(sign + 1)..], IsEqual: false) : new(text[..sign], text[(sign + 1)..]);
    }

    private sealed record StateListQuery(CommandConsole Console, StateClient Client, string Kind, StateFilterCondition[] Conditions, int Limit, bool IsJson)
    {
        public async Task<int> WriteAsync<T>(Func<IEnumerable<T>, ConsoleTextTable> table, CancellationToken cancellationToken)
        {
            var list = await Client.ListAsync<T>(Kind.Replace('-', '_'), Conditions, Limit, cancellationToken);
            if (IsJson)
                Console.Out.WriteLine(JsonSerializer.Serialize(list.Result, ServeJson.State));
            else if (list.Result.IsEmpty)
                Console.Out.WriteLine(list.Total == 0 ? $"No {Words}." : $"None of {list.Total} {Words} matches.");
            else
                table(list.Result).Write(Console);
            if (list.NumAfterTruncation < list.NumFiltered)
                Console.Error.WriteLine($"Showing the newest {list.NumAfterTruncation} of {list.NumFiltered}; use --limit to show more.");
            return CliExitCode.Ok;
        }

        private string Words => Kind.Replace('-', ' ');
    }
}
