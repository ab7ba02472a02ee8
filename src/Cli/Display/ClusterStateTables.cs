using System.Globalization;

namespace Serve.Cli.Display;

/// <summary>Creates tables for the lists of the state API.</summary>
internal static class ClusterStateTables
{
    /// <summary>Creates a table of tasks.</summary>
    public static ConsoleTextTable Tasks(IEnumerable<TaskState> tasks) => Table(
        ["Task", "Name", "State", "Duration", "Attempt", "Worker", "Actor", "Parent", "Error"],
        tasks,
        task => [task.TaskId, task.Name, ApplicationStatusText.Upper(task.State), Duration(task), task.Attempt > 1 ? Number(task.Attempt) : "", task.WorkerId, task.ActorId, task.ParentTaskId, Error(task)]);

    /// <summary>Creates a table of actors.</summary>
    public static ConsoleTextTable Actors(IEnumerable<ActorState> actors) => Table(
        ["Actor", "Class", "Name", "State", "Pid", "Worker", "Restarts", "Pending calls", "Death cause"],
        actors,
        actor => [actor.ActorId, actor.ClassName, actor.Name, ApplicationStatusText.Upper(actor.State), Number(actor.Pid), actor.WorkerId, Number(actor.NumRestarts), Number(actor.PendingCalls), actor.DeathCause]);

    /// <summary>Creates a table of objects.</summary>
    public static ConsoleTextTable Objects(IEnumerable<ObjectState> objects) => Table(
        ["Object", "Size", "Location", "Type", "Created by", "Borrowers"],
        objects,
        entry => [entry.ObjectId, ByteSizeFormatter.Bytes(entry.Size), entry.Location, entry.Type, entry.CreatedBy, Number(entry.Borrowers)]);

    /// <summary>Creates a table of workers.</summary>
    public static ConsoleTextTable Workers(IEnumerable<WorkerState> workers) => Table(
        ["Worker", "Pid", "Purpose", "Running", "Memory", "Log"],
        workers,
        worker => [worker.WorkerId, Number(worker.Pid), worker.Purpose, Number(worker.Running), worker.Memory > 0 ? ByteSizeFormatter.Bytes(worker.Memory) : "", worker.LogFile]);

    /// <summary>Creates a table of nodes.</summary>
    public static ConsoleTextTable Nodes(IEnumerable<NodeState> nodes) => Table(
        ["Node", "State", "Free", "Total"],
        nodes,
        node => [node.NodeId, node.State, Resources(node.ResourcesAvailable), Resources(node.ResourcesTotal)]);

    /// <summary>Creates a table of placement groups.</summary>
    public static ConsoleTextTable PlacementGroups(IEnumerable<PlacementGroupState> groups) => Table(
        ["Group", "Name", "State", "Strategy", "Bundles", "Nodes"],
        groups,
        group => [group.PlacementGroupId, group.Name, group.State, ApplicationStatusText.Upper(group.Strategy), Number(group.Bundles.Length), string.Join(' ', group.Nodes)]);

    /// <summary>Formats an amount of a resource.</summary>
    public static string Amount(string resource, double amount) =>
        resource == "memory" ? ByteSizeFormatter.Bytes(amount) : amount.ToString("0.####", CultureInfo.InvariantCulture);

    private static ConsoleTextTable Table<T>(string[] columns, IEnumerable<T> items, Func<T, string?[]> cells)
    {
        var table = new ConsoleTextTable(columns);
        foreach (var item in items)
            table.Add(cells(item));
        return table;
    }

    private static string Number(int? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "";

    private static string Duration(TaskState task) => task is { StartTime: { } start, EndTime: { } end } ? DurationTextFormat.Of(end - start) : "";

    private static string? Error(TaskState task) => task.ErrorType is null ? null : $"{task.ErrorType[(task.ErrorType.LastIndexOf('.') + 1)..]}: {task.ErrorMessage}";

    private static string Resources(IEnumerable<KeyValuePair<string, double>> amounts) => string.Join(' ', amounts.Select(amount => $"{amount.Key}={Amount(amount.Key, amount.Value)}"));
}
