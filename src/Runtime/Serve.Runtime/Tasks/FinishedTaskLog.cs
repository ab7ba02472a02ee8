using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>Ring buffer of recently finished tasks and actor calls.</summary>
internal sealed class FinishedTaskLog
{
    private readonly int _capacity;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly DateTimeOffset _startedOn;
    private readonly Lock _growing = new();
    private FinishedTaskSlot[] _places = new FinishedTaskSlot[64];
    private long _count;

    /// <summary>Creates an empty log.</summary>
    /// <param name="capacity">Number of records to keep.</param>
    /// <param name="time">Clock for reported times.</param>
    public FinishedTaskLog(int capacity, TimeProvider time)
    {
        this._capacity = Math.Max(0, capacity);
        _startedOn = time.GetUtcNow();
    }

    /// <summary>Number of tasks finished since the start.</summary>
    public long Count => Volatile.Read(ref _count);

    public void Add(TaskExecution task, long ended, Exception? error)
    {
        if (_capacity == 0)
            return;
        var state = error switch
        {
            null => TaskPhase.Finished,
            OperationCanceledException => TaskPhase.Cancelled,
            _ => TaskPhase.Failed,
        };
        Add(task.CreateRecord(state, ended, error));
    }

    public void Add(in FinishedTaskRecord task)
    {
        if (_capacity == 0)
            return;
        lock (_growing)
        {
            if (_count == _places.Length && _count < _capacity)
                Array.Resize(ref _places, (int)Math.Min(_capacity, _count * 2));
            _places[_count % _places.Length].Task = task;
            _count++;
        }
    }

    /// <summary>Returns the kept records, oldest first.</summary>
    public IReadOnlyList<FinishedTaskRecord> Read()
    {
        lock (_growing)
        {
            var kept = (int)Math.Min(_count, Math.Min(_places.Length, _capacity));
            var read = new FinishedTaskRecord[kept];
            for (var i = 0; i < kept; i++)
                read[i] = _places[(_count - kept + i) % _places.Length].Task;
            return read;
        }
    }

    /// <summary>Converts a record to its public form.</summary>
    public TaskState ToState(in FinishedTaskRecord task) => new()
    {
        TaskId = new ObjectId(task.Id).ToString(),
        Name = task.Name,
        Function = task.Function,
        State = task.State,
        ActorId = task.ActorId,
        ParentTaskId = task.Parent == 0 ? null : new ObjectId(task.Parent).ToString(),
        WorkerId = task.WorkerId,
        Attempt = task.Attempt,
        StartTime = task.Started == 0 ? null : ToTimeOfDay(task.Started),
        EndTime = task.Ended == 0 ? null : ToTimeOfDay(task.Ended),
        ErrorType = task.Error is UserCodeException user ? user.ExceptionType : task.Error?.GetType().FullName,
        ErrorMessage = task.Error?.Message,
    };

    /// <summary>Converts a <see cref="Stopwatch"/> timestamp to a time of day.</summary>
    public DateTimeOffset ToTimeOfDay(long timestamp) => _startedOn + Stopwatch.GetElapsedTime(_startedAt, timestamp);

    private struct FinishedTaskSlot
    {
        public FinishedTaskRecord Task;
    }
}
