namespace Serve.Runtime.Onnx.Sessions;

/// <summary>Reference of one model to a shared session. Disposal is idempotent.</summary>
internal sealed class OnnxSessionLease(SharedOnnxSession session, Action release) : IDisposable
{
    private Action? _release = release;

    public SharedOnnxSession Session => session;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
