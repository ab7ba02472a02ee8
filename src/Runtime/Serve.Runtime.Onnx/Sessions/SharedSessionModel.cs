namespace Serve.Runtime.Onnx.Sessions;

/// <summary>A loaded model: a lease of a shared session, and the number of its own ongoing runs.</summary>
internal sealed class SharedSessionModel : OnnxModel
{
    private readonly OnnxSessionLease _lease;
    private readonly SharedOnnxSession _session;
    private readonly ManualResetEventSlim _ended = new();
    private readonly Action _leave;

    // Ongoing runs, plus one until the model is disposed.
    private int _users = 1;
    private int _disposed;

    public SharedSessionModel(string path, OnnxSessionLease lease)
    {
        (Path, _lease, _session) = (path, lease, lease.Session);
        _leave = Leave;
    }

    // A model that is finalized has no ongoing run, which would reference it.
    ~SharedSessionModel() => Dispose(disposing: false);

    public override string Path { get; }

    public override IReadOnlyList<TensorSpec> Inputs => _session.Signature.Inputs;

    public override IReadOnlyList<TensorSpec> Outputs => _session.Signature.Outputs;

    public override string ExecutionProvider => _session.Provider.Name;

    public override OnnxModelInfo Info => _session.Info;

    /// <summary>The session that this model shares with equal models of the process.</summary>
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
            // Asynchronous methods report errors through their task.
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

    private ObjectDisposedException Gone() => new(Path, $"The model {Path} has been disposed.");

    private void Leave()
    {
        if (Interlocked.Decrement(ref _users) == 0)
            _ended.Set();
    }
}
