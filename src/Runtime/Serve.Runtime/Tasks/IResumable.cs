namespace Serve.Runtime.Tasks;

/// <summary>Code that has waited and can be resumed.</summary>
public interface IResumable
{
    /// <summary>Resumes the code on another thread; must not block or throw.</summary>
    void Resume();
}

/// <summary>Waiter that needs no resumption because its code continues by itself; its CPU is reacquired as soon as one is free.</summary>
public sealed class NoOpResumable : IResumable
{
    public static readonly NoOpResumable On = new();

    private NoOpResumable()
    {
    }

    public void Resume()
    {
    }
}

/// <summary>Pending reacquisition of the CPU that a task needs to continue.</summary>
internal sealed class CpuReacquisition : TaskCompletionSource, IResumable
{
    public CpuReacquisition()
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
    }

    public void Resume() => TrySetResult();
}
