using Serve.Runtime.Tasks;

namespace Serve.Runtime.Sessions;

/// <summary>Has an attempt tried again once an argument of it that was lost has been made again. Its CPU is lent until then: the one task may need what the other holds.</summary>
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
            ? new ObjectLostException($"An argument of {attempt.Name} was lost, and making it again failed: {failure.Message}", failure)
            : new ObjectLostException($"An argument of {attempt.Name} was lost and has been made again, but {attempt.Name} may not be tried again: raise its MaxRetries."),
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
