using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>Ring buffer of recently finished tasks and actor calls.</summary>
internal sealed class FinishedTaskLog
{
    private readonly int _capacity;
    private readonly long _startedAt = Stopwatch.GetTimestamp();
    private readonly DateTimeOffset _startedOn;
    private readonly Lock _growing = new();
    private FinishedTaskRecord[] _records = new FinishedTaskRecord[64];
    private long _count;

    /// <summary>Creates an empty log.</summary>
    /// <param name="capacity">Number of records to keep.</param>
    /// <param name="time">Clock for reported times.</param>
    public FinishedTaskLog(int capacity, TimeProvider time)
    {
        _capacity = Math.Max(0, capacity);
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
            if (_count == _records.Length && _count < _capacity)
                Array.Resize(ref _records, (int)Math.Min(_capacity, _count * 2));
            _records[_count % _records.Length] = task;
            _count++;
        }
    }

    /// <summary>Returns the kept records, oldest first.</summary>
    public IReadOnlyList<FinishedTaskRecord> Read()
    {
        lock (_growing)
        {
            var kept = (int)Math.Min(_count, Math.Min(_records.Length, _capacity));
            var read = new FinishedTaskRecord[kept];
            for (var i = 0; i < kept; i++)
                read[i] = _records[(_count - kept + i) % _records.Length];
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
}
