using Serve.Runtime.Workers.Connections;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Accepts calls of workers to actors that the node's own process hosts. Started with the first worker; its state is that listener.</summary>
internal sealed class NodeCallListener(ProcessActorHost host, ProcessIdentity identity) : IDisposable
{
    private readonly Lock _sync = new();
    private FrameSocketTransport.Listener? _listener;
    private bool _isDisposed;

    public void Start()
    {
        lock (_sync)
        {
            if (_listener is not null || _isDisposed)
                return;
            var token = FrameSocketTransport.CreateToken();
            _listener = new(token, (stream, purpose) => purpose == ConnectionPurpose.ActorHost ? ActorHostConnection.ServeAsync(stream, host, queries: null) : Task.CompletedTask);
            identity.SetAddress(new(identity.ProcessId, null, _listener.Address, token));
        }
    }

    public void Dispose()
    {
        lock (_sync)
        {
            _isDisposed = true;
            _listener?.Dispose();
        }
    }
}
