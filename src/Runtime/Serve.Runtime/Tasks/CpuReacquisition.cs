namespace Serve.Runtime.Tasks;

/// <summary>Pending reacquisition of the CPU that a task needs to continue.</summary>
internal sealed class CpuReacquisition : TaskCompletionSource, IResumable
{
    public CpuReacquisition()
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
    }

    public void Resume() => TrySetResult();
}
