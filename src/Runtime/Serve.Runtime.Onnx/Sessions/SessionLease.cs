namespace Serve.Runtime.Onnx.Sessions;

/// <summary>One model's share in a session; given up once.</summary>
internal sealed class SessionLease(SharedSession session, Action release) : IDisposable
{
    private Action? release = release;

    public SharedSession Session => session;

    public void Dispose() => Interlocked.Exchange(ref release, null)?.Invoke();
}
