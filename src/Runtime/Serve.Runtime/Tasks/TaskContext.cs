namespace Serve.Runtime.Tasks;

/// <summary>The task, or the actor's call, whose code is running: what its waiting, its children and <see cref="Cluster.Current"/> refer to.</summary>
internal class TaskContext(Cluster cluster, ObjectId taskId)
{
    private static readonly AsyncLocal<TaskContext?> Flowing = new();

    [ThreadStatic]
    private static TaskContext? onThread;

    /// <summary>Null in code that no task runs.</summary>
    public static TaskContext? Current => onThread ?? Flowing.Value;

    public Cluster Cluster => cluster;

    public ObjectId TaskId => taskId;

    /// <summary>Makes it the current one for synchronous code on this thread; undone by passing what it returns.</summary>
    public static TaskContext? SetOnThread(TaskContext? context)
    {
        var before = onThread;
        onThread = context;
        return before;
    }

    /// <summary>Makes it the current one for this execution context and what is awaited in it.</summary>
    public static void SetFlowing(TaskContext? context) => Flowing.Value = context;
}
