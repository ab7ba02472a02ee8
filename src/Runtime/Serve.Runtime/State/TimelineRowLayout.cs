using System.Globalization;

namespace Serve.Runtime.State;

/// <summary>
/// Assigns tasks to rows whose events never overlap: calls of an actor to the actor's row, other tasks to the first row of their process that is free, which
/// gives as many rows as threads were busy. Tasks must be added in order of their start.
/// </summary>
internal sealed class TimelineRowLayout
{
    // Exited workers have no process id any more, but a trace requires a number.
    private const int FirstMadeUp = 100_000_000;
    private readonly Dictionary<string, ActorState> _actors;
    private readonly Dictionary<string, int> _processes;
    private readonly Dictionary<int, string> _processNames = [];
    private readonly Dictionary<(int Process, string? Actor), List<TimelineRow>> _rows = [];
    private readonly Dictionary<int, int> _threads = [];

    public TimelineRowLayout(IEnumerable<ActorState> actors, IEnumerable<WorkerState> workers, int ownPid)
    {
        _actors = actors.ToDictionary(actor => actor.ActorId);
        _processes = workers.ToDictionary(worker => worker.WorkerId, worker => worker.Pid);
        _processes[""] = ownPid;
        _processNames[ownPid] = string.Create(CultureInfo.InvariantCulture, $"this process ({ownPid})");
        foreach (var worker in workers)
            _processNames[worker.Pid] = string.Create(CultureInfo.InvariantCulture, $"worker {worker.WorkerId} ({worker.Pid}) {worker.Purpose}");
    }

    public IEnumerable<(int Process, string Name)> Processes => _threads.Keys.Order().Select(process => (process, _processNames[process]));

    public IEnumerable<TimelineRow> Rows => _rows.Values.SelectMany(group => group).OrderBy(row => row.Process).ThenBy(row => row.Thread);

    public TimelineRow RowOf(TaskState task, DateTimeOffset end)
    {
        var process = ProcessOf(task.WorkerId ?? "");
        var key = (process, task.ActorId);
        if (!_rows.TryGetValue(key, out var group))
            _rows[key] = group = [];
        var row = group.Find(candidate => candidate.BusyUntil <= task.StartTime);
        if (row is null)
        {
            var thread = _threads[process] = _threads.GetValueOrDefault(process) + 1;
            group.Add(row = new(process, thread, NameOf(task.ActorId, group.Count + 1)));
        }

        row.BusyUntil = end;
        return row;
    }

    private int ProcessOf(string workerId)
    {
        if (!_processes.TryGetValue(workerId, out var process))
        {
            _processes[workerId] = process = FirstMadeUp + _processes.Count;
            _processNames[process] = $"worker {workerId} (ended)";
        }

        return process;
    }

    private string NameOf(string? actorId, int number)
    {
        if (actorId is null)
            return string.Create(CultureInfo.InvariantCulture, $"tasks {number}");
        var name = !_actors.TryGetValue(actorId, out var actor) ? $"actor {actorId}" : actor.Name is null ? $"{actor.ClassName} {actorId}" : $"{actor.ClassName} '{actor.Name}'";
        return number == 1 ? name : string.Create(CultureInfo.InvariantCulture, $"{name} ({number})");
    }
}
