using System.Diagnostics;

namespace Serve.Runtime.Tasks;

/// <summary>The tasks and actors' calls that ended last, in a ring. Each place is written under its own mark, so that writers hardly meet and readers never wait.</summary>
internal sealed class TaskLog
{
    private readonly int capacity;
    private readonly long startedAt = Stopwatch.GetTimestamp();
    private readonly DateTimeOffset startedOn;
    private readonly Lock growing = new();
    private Place[] places = new Place[64];
    private long count;

    /// <summary>Starts empty.</summary>
    /// <param name="capacity">How many it remembers.</param>
    /// <param name="time">The clock of the times it tells.</param>
    public TaskLog(int capacity, TimeProvider time)
    {
        this.capacity = Math.Max(0, capacity);
        startedOn = time.GetUtcNow();
    }

    /// <summary>How many ended since the start.</summary>
    public long Count => Volatile.Read(ref count);

    public void Add(SubmittedTask task, long ended, Exception? error)
    {
        if (capacity == 0)
            return;
        var state = error switch
        {
            null => TaskPhase.Finished,
            OperationCanceledException => TaskPhase.Cancelled,
            _ => TaskPhase.Failed,
        };
        Add(task.Describe(state, ended, error));
    }

    public void Add(in EndedTask task)
    {
        if (capacity == 0)
            return;
        lock (growing)
        {
            if (count == places.Length && count < capacity)
                Array.Resize(ref places, (int)Math.Min(capacity, count * 2));
            places[count % places.Length].Task = task;
            count++;
        }
    }

    /// <summary>Those that it remembers, oldest first.</summary>
    public IReadOnlyList<EndedTask> Read()
    {
        lock (growing)
        {
            var kept = (int)Math.Min(count, Math.Min(places.Length, capacity));
            var read = new EndedTask[kept];
            for (var i = 0; i < kept; i++)
                read[i] = places[(count - kept + i) % places.Length].Task;
            return read;
        }
    }

    /// <summary>As users see it.</summary>
    public TaskState ToState(in EndedTask task) => new()
    {
        TaskId = new ObjectId(task.Id).ToString(),
        Name = task.Name,
        Function = task.Function,
        State = task.State,
        ActorId = task.ActorId,
        ParentTaskId = task.Parent == 0 ? null : new ObjectId(task.Parent).ToString(),
        WorkerId = task.WorkerId,
        Attempt = task.Attempt,
        StartTime = task.Started == 0 ? null : TimeOf(task.Started),
        EndTime = task.Ended == 0 ? null : TimeOf(task.Ended),
        ErrorType = task.Error is UserCodeException user ? user.ExceptionType : task.Error?.GetType().FullName,
        ErrorMessage = task.Error?.Message,
    };

    /// <summary>The time of day of a <see cref="Stopwatch"/> time.</summary>
    public DateTimeOffset TimeOf(long timestamp) => startedOn + Stopwatch.GetElapsedTime(startedAt, timestamp);

    private struct Place
    {
        public EndedTask Task;
    }
}
