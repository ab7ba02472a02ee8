namespace Serve.Runtime.TestWorker;

/// <summary>Lets a test pause code and observe its progress.</summary>
public sealed class TestCallGate
{
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _left = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Opened => _opened.Task;

    public Task Entered => _entered.Task;

    public Task Left => _left.Task;

    public void Open() => _opened.TrySetResult();

    public void OnEntered() => _entered.TrySetResult();

    public void OnLeft() => _left.TrySetResult();
}
