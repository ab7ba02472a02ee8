namespace Serve.Runtime.Tasks;

/// <summary>A wait for the CPU that a task needs to go on, as a task.</summary>
internal sealed class CpuReacquisition : TaskCompletionSource, IResumable
{
    public CpuReacquisition()
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
    }

    public void Resume() => TrySetResult();
}
