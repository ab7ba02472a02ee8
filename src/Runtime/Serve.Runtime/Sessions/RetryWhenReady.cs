using Serve.Runtime.Tasks;

namespace Serve.Runtime.Sessions;

/// <summary>Has an attempt tried again once an argument of it that was lost has been made again. Its CPU is lent until then: the one task may need what the other holds.</summary>
internal sealed class RetryWhenReady(ITaskAttempt attempt, ObjectRef again) : RefContinuation, IThreadPoolWorkItem, IResumable
{
    private readonly RefWait? wait = attempt.Context?.BeginWait([again], count: 1, flow: null);

    public static void Start(ITaskAttempt attempt, ObjectRef again)
    {
        var retry = new RetryWhenReady(attempt, again);
        if (!again.TryOnReady(retry))
            retry.Run();
    }

    public void Execute() => attempt.Failed(
        again.Error is { } failure
            ? new ObjectLostException($"An argument of {attempt.Name} was lost, and making it again failed: {failure.Message}", failure)
            : new ObjectLostException($"An argument of {attempt.Name} was lost and has been made again, but {attempt.Name} may not be tried again: raise its MaxRetries."),
        isSystem: again.Error is null);

    public void Resume() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    internal override void Run()
    {
        if (wait is not null)
            wait.End(this);
        else
            Resume();
    }
}
