using Serve.Runtime.Actors;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Execution;

/// <summary>The worker processes of a cluster, as the engine uses them. Created with the first worker; disposing it stops the processes that the cluster owns.</summary>
public interface IClusterWorkers : IAsyncDisposable
{
    /// <summary>Runs tasks in worker processes.</summary>
    ITaskExecutor Tasks { get; }

    /// <summary>Objects that workers hold references to: one entry for each worker that does.</summary>
    IEnumerable<ObjectRef> LentObjects { get; }

    /// <summary>Starts workers for tasks before a task needs them.</summary>
    void Prestart(int count);

    /// <summary>Lists the running workers.</summary>
    IReadOnlyList<WorkerState> List();

    /// <summary>Starts a worker for one actor.</summary>
    /// <param name="label">Shown in process lists and logs.</param>
    /// <param name="cancellationToken">Cancels the start.</param>
    Task<IActorWorker> StartActorWorkerAsync(string label, CancellationToken cancellationToken);
}

/// <summary>A worker process that hosts one actor, as the engine uses it.</summary>
public interface IActorWorker
{
    string WorkerId { get; }

    int Pid { get; }

    /// <summary>How the process exited; null while it runs.</summary>
    string? ExitReason { get; }

    /// <summary>Completes with the exit reason when the process is reaped.</summary>
    Task<string> Exited { get; }

    /// <summary>Announces an actor, before its constructor runs.</summary>
    void Define(ActorId id, Type type, ResolvedActorOptions options);

    /// <summary>Sends an attempt of a call or a lifecycle command; <see cref="IActorCallAttempt.OnLost"/> follows if the worker dies before its reply.</summary>
    void Start(IActorCallAttempt attempt);

    /// <summary>Kills the process.</summary>
    /// <param name="reason">Reported as the exit reason.</param>
    void Kill(string reason);

    /// <summary>Returns the worker; completes when the process is reaped.</summary>
    Task ReleaseAsync();
}
