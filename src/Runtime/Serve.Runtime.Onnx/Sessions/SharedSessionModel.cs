namespace Serve.Runtime.Onnx.Sessions;

/// <summary>A user's model: its share in a session, and the one writer of how many runs of its own are under way.</summary>
internal sealed class SharedSessionModel : OnnxModel
{
    private readonly OnnxSessionLease _lease;
    private readonly SharedOnnxSession _session;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Action _leave;

    // The model itself counts as one until it is disposed.
    private int _users = 1;
    private int _disposed;

    public SharedSessionModel(string path, OnnxSessionLease lease)
    {
        (Path, this._lease, _session) = (path, lease, lease.Session);
        _leave = Leave;
    }

    // Who forgot to dispose it has no run under way: such a run would hold it.
    ~SharedSessionModel() => Dispose(disposing: false);

    public override string Path { get; }

    public override IReadOnlyList<TensorSpec> Inputs => _session.Signature.Inputs;

    public override IReadOnlyList<TensorSpec> Outputs => _session.Signature.Outputs;

    public override string ExecutionProvider => _session.Provider.Name;

    public override OnnxModelInfo Info => _session.Info;

    /// <summary>Which of this process's sessions it runs.</summary>
    public SharedOnnxSession Session => _session;

    public override ValueTask<ModelOutputs> RunAsync(
        IReadOnlyList<NamedTensor> inputs, IReadOnlyList<string>? outputs = null, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _users);
        if (Volatile.Read(ref _disposed) != 0)
        {
            Leave();
            return ValueTask.FromException<ModelOutputs>(Gone());
        }

        try
        {
            return _session.Runner.RunAsync(this, inputs, outputs, _leave, cancellationToken);
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
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        if (disposing)
        {
            foreach (var run in _session.Runner.Gate.RemoveAll(this))
                run.Refuse(Gone());
            Leave();
            _ended.Wait();
        }

        _lease.Dispose();
    }

    private ObjectDisposedException Gone() => new(Path, $"The model {Path} was disposed.");

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            _ended.Set();
    }
}
