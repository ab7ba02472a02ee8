namespace Serve.Runtime.Onnx.Runs;

/// <summary>A run that is done on a thread of <see cref="RunThreads"/>, perhaps after waiting for its place.</summary>
internal sealed class QueuedSessionRun(
    OnnxSessionRunner runner, OnnxModel owner, RunShapeProfile shape, IReadOnlyList<NamedTensor> inputs, Action ended, CancellationToken cancellationToken)
    : TaskCompletionSource<ModelOutputs>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    private readonly Lock _guard = new();
    private CancellationTokenRegistration _leaving;
    private bool _hasLeft;

    public OnnxModel Owner => owner;

    /// <summary>Where it waits; written by the <see cref="SessionRunLimiter"/> alone.</summary>
    public LinkedListNode<QueuedSessionRun>? Place { get; set; }

    /// <summary>From now on cancelling takes it out of the queue.</summary>
    public void WatchQueue()
    {
        var registration = cancellationToken.UnsafeRegister(static state => ((QueuedSessionRun)state!).Cancel(), this);
        lock (_guard)
        {
            if (!_hasLeft)
            {
                _leaving = registration;
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
    public QueuedSessionRun? Execute()
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
        lock (_guard)
        {
            _hasLeft = true;
            registration = _leaving;
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
