namespace Serve.Runtime.TestWorker;

/// <summary>Lets a test hold code up and see where it is.</summary>
public sealed class TestCallGate
{
    private readonly TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Opened => opened.Task;

    public Task Entered => entered.Task;

    public Task Left => left.Task;

    public void Open() => opened.TrySetResult();

    public void OnEntered() => entered.TrySetResult();

    public void OnLeft() => left.TrySetResult();
}
