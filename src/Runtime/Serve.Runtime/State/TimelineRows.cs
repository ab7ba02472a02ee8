using System.Globalization;

namespace Serve.Runtime.State;

/// <summary>
/// Lays tasks onto rows so that those of a row never overlap: an actor's calls on the actor's row, other tasks on the first row of their
/// process that is free then, which is as many rows as threads were busy. Its state is the rows so far; tasks must come in the order of their start.
/// </summary>
internal sealed class TimelineRows
{
    // Ended workers have no process id any more; a trace wants a number.
    private const int FirstMadeUp = 100_000_000;
    private readonly Dictionary<string, ActorState> actors;
    private readonly Dictionary<string, int> processes;
    private readonly Dictionary<int, string> processNames = [];
    private readonly Dictionary<(int Process, string? Actor), List<TimelineRow>> rows = [];
    private readonly Dictionary<int, int> threads = [];

    public TimelineRows(IEnumerable<ActorState> actors, IEnumerable<WorkerState> workers, int ownPid)
    {
        this.actors = actors.ToDictionary(actor => actor.ActorId);
        processes = workers.ToDictionary(worker => worker.WorkerId, worker => worker.Pid);
        processes[""] = ownPid;
        processNames[ownPid] = string.Create(CultureInfo.InvariantCulture, $"this process ({ownPid})");
        foreach (var worker in workers)
            processNames[worker.Pid] = string.Create(CultureInfo.InvariantCulture, $"worker {worker.WorkerId} ({worker.Pid}) {worker.Purpose}");
    }

    public IEnumerable<(int Process, string Name)> Processes => threads.Keys.Order().Select(process => (process, processNames[process]));

    public IEnumerable<TimelineRow> Rows => rows.Values.SelectMany(group => group).OrderBy(row => row.Process).ThenBy(row => row.Thread);

    public TimelineRow RowOf(TaskState task, DateTimeOffset end)
    {
        var process = ProcessOf(task.WorkerId ?? "");
        var key = (process, task.ActorId);
        if (!rows.TryGetValue(key, out var group))
            rows[key] = group = [];
        var row = group.Find(candidate => candidate.BusyUntil <= task.StartTime);
        if (row is null)
        {
            var thread = threads[process] = threads.GetValueOrDefault(process) + 1;
            group.Add(row = new(process, thread, NameOf(task.ActorId, group.Count + 1)));
        }

        row.BusyUntil = end;
        return row;
    }

    private int ProcessOf(string workerId)
    {
        if (!processes.TryGetValue(workerId, out var process))
        {
            processes[workerId] = process = FirstMadeUp + processes.Count;
            processNames[process] = $"worker {workerId} (ended)";
        }

        return process;
    }

    private string NameOf(string? actorId, int number)
    {
        if (actorId is null)
            return string.Create(CultureInfo.InvariantCulture, $"tasks {number}");
        var name = !actors.TryGetValue(actorId, out var actor) ? $"actor {actorId}" : actor.Name is null ? $"{actor.ClassName} {actorId}" : $"{actor.ClassName} '{actor.Name}'";
        return number == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name} ({number})");
    }
}
