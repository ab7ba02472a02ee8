namespace Serve.Runtime.Tasks;

/// <summary>A wait for the CPU that a task needs to go on, as a task.</summary>
internal sealed class Grant : TaskCompletionSource, IResumable
{
    public Grant()
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
    }

    public void Resume() => TrySetResult();
}
