namespace Serve.Runtime.Onnx.Sessions;

/// <summary>One model's share in a session; given up once.</summary>
internal sealed class OnnxSessionLease(SharedOnnxSession session, Action release) : IDisposable
{
    private Action? _release = release;

    public SharedOnnxSession Session => session;

    public void Dispose() => Interlocked.Exchange(ref _release, null)?.Invoke();
}
