namespace Serve.Runtime.Onnx.Runs;

/// <summary>A run that is done on a thread of <see cref="RunThreads"/>, perhaps after waiting for its place.</summary>
internal sealed class QueuedRun(
    ModelRunner runner, OnnxModel owner, RunShape shape, IReadOnlyList<NamedTensor> inputs, Action ended, CancellationToken cancellationToken)
    : TaskCompletionSource<ModelOutputs>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly Lock guard = new();
    private CancellationTokenRegistration leaving;
    private bool hasLeft;

    public OnnxModel Owner => owner;

    /// <summary>Where it waits; written by the <see cref="RunGate"/> alone.</summary>
    public LinkedListNode<QueuedRun>? Place { get; set; }

    /// <summary>From now on cancelling takes it out of the queue.</summary>
    public void WatchQueue()
    {
        var registration = cancellationToken.UnsafeRegister(static state => ((QueuedRun)state!).Cancel(), this);
        lock (guard)
        {
            if (!hasLeft)
            {
                leaving = registration;
                return;
            }
        }

        registration.Unregister();
    }

    /// <summary>Ends it because its model was disposed before its turn came. It is out of the queue.</summary>
    public void Refuse(Exception error)
    {
        LeaveQueue();
        ended();
        TrySetException(error);
    }

    /// <summary>Does the run. It has its place.</summary>
    /// <returns>The run that has its place now.</returns>
    public QueuedRun? Execute()
    {
        LeaveQueue();
        ModelOutputs? outputs = null;
        Exception? error = null;
        try
        {
            outputs = runner.Run(shape, inputs, cancellationToken);
        }
        catch (Exception thrown)
        {
            // It is the caller's to see; this thread has others to serve.
            error = thrown;
        }

        var next = runner.Gate.Exit();
        ended();
        if (outputs is not null)
            TrySetResult(outputs);
        else if (error is OperationCanceledException)
            TrySetCanceled(cancellationToken);
        else
            TrySetException(error!);
        return next;
    }

    private void LeaveQueue()
    {
        CancellationTokenRegistration registration;
        lock (guard)
        {
            hasLeft = true;
            registration = leaving;
        }

        registration.Unregister();
    }

    private void Cancel()
    {
        if (!runner.Gate.Remove(this))
            return;
        ended();
        TrySetCanceled(cancellationToken);
    }
}
