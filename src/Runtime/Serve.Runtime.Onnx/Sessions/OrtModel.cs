namespace Serve.Runtime.Onnx.Sessions;

/// <summary>A user's model: its share in a session, and the one writer of how many runs of its own are under way.</summary>
internal sealed class OrtModel : OnnxModel
{
    private readonly SessionLease lease;
    private readonly SharedSession session;
    private readonly ManualResetEventSlim ended = new();
    private readonly Action leave;

    // The model itself counts as one until it is disposed.
    private int users = 1;
    private int disposed;

    public OrtModel(string path, SessionLease lease)
    {
        (Path, this.lease, session) = (path, lease, lease.Session);
        leave = Leave;
    }

    // Who forgot to dispose it has no run under way: such a run would hold it.
    ~OrtModel() => Dispose(disposing: false);

    public override string Path { get; }

    public override IReadOnlyList<TensorSpec> Inputs => session.Signature.Inputs;

    public override IReadOnlyList<TensorSpec> Outputs => session.Signature.Outputs;

    public override string ExecutionProvider => session.Provider.Name;

    public override OnnxModelInfo Info => session.Info;

    /// <summary>Which of this process's sessions it runs.</summary>
    public SharedSession Session => session;

    public override ValueTask<ModelOutputs> RunAsync(
        IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs = null, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref users);
        if (Volatile.Read(ref disposed) != 0)
        {
            Leave();
            return ValueTask.FromException<ModelOutputs>(Gone());
        }

        try
        {
            return session.Runner.RunAsync(this, inputs, outputs, leave, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<ModelOutputs>(cancellationToken);
        }
        catch (Exception error)
        {
            // As any asynchronous method's, it is the task's.
            return ValueTask.FromException<ModelOutputs>(error);
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (Interlocked.Exchange(ref disposed, 1) != 0)
            return;
        if (disposing)
        {
            foreach (var run in session.Runner.Gate.RemoveAll(this))
                run.Refuse(Gone());
            Leave();
            ended.Wait();
        }

        lease.Dispose();
    }

    private ObjectDisposedException Gone() => new(Path, $"The model {Path} was disposed.");

    private void Leave()
    {
        if (Interlocked.Decrement(ref users) == 0)
            ended.Set();
    }
}
