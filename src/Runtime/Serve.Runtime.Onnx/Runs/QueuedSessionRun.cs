using Serve.Runtime.Execution;

namespace Serve.Runtime.Onnx.Runs;

/// <summary>A run on a thread of the <see cref="DedicatedThreadPool"/>, after it has acquired a slot.</summary>
internal sealed class QueuedSessionRun(
    OnnxSessionRunner runner, OnnxModel owner, RunShapeProfile shape, IReadOnlyList<NamedTensor> inputs, Action ended, CancellationToken cancellationToken)
    : TaskCompletionSource<ModelOutputs>(TaskCreationOptions.RunContinuationsAsynchronously), IThreadPoolWorkItem
{
    private readonly Lock _guard = new();
    private CancellationTokenRegistration _leaving;
    private bool _hasLeft;

    public OnnxModel Owner => owner;

    /// <summary>Position in the queue of the <see cref="SessionRunLimiter"/>, which alone writes it.</summary>
    public LinkedListNode<QueuedSessionRun>? Place { get; set; }

    /// <summary>Removes the run from the queue when it is canceled.</summary>
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

    /// <summary>Fails the run because its model was disposed while it was queued. The caller has removed it from the queue.</summary>
    public void Refuse(Exception error)
    {
        LeaveQueue();
        ended();
        TrySetException(error);
    }

    /// <summary>Executes this run, which has a slot, and then the runs that acquire the slot after it.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        for (var run = this; run is not null;)
            run = run.Run();
    }

    /// <returns>The run that has acquired the slot.</returns>
    private QueuedSessionRun? Run()
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
