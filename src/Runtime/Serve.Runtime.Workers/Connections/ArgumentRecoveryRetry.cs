using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Retries an attempt after a lost argument of it has been recomputed. Its CPU is released until then, because the recomputation may need it.</summary>
internal sealed class ArgumentRecoveryRetry(ITaskAttempt attempt, ObjectRef again) : ObjectRefContinuation, IThreadPoolWorkItem, IResumable
{
    private readonly ObjectRefWait? _wait = attempt.Context?.BeginWait([again], count: 1, flow: null);

    public static void Start(ITaskAttempt attempt, ObjectRef again)
    {
        var retry = new ArgumentRecoveryRetry(attempt, again);
        if (!again.TryAddContinuation(retry))
            retry.Run();
    }

    public void Execute() => attempt.ReportFailure(
        again.Error is { } failure
            ? new ObjectLostException($"An argument of {attempt.Name} was lost, and recomputing it failed: {failure.Message}", failure)
            : new ObjectLostException($"An argument of {attempt.Name} was lost and has been recomputed, but {attempt.Name} has no retries left. Raise its MaxRetries."),
        isSystem: again.Error is null);

    public void Resume() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    public override void Run()
    {
        if (_wait is not null)
            _wait.End(this);
        else
            Resume();
    }
}
