using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A worker's reference to an object that the driver owns. The object is requested by the first wait; the driver keeps it while the hold is reachable.</summary>
internal sealed class RemoteObjectRef<T>(DriverConnection session, BorrowedObjectHold hold) : ObjectRef<T>(session.Cluster, hold.Id), IPendingObjectRequest
{
    private int _demanded;

    /// <summary>Keeps the object alive in the driver.</summary>
    public BorrowedObjectHold Hold => hold;

    protected override void RequestObject(bool fetch)
    {
        if (!IsReady && Interlocked.Exchange(ref _demanded, 1) == 0)
            session.Demand(this);
    }

    public void Settle(Ready ready)
    {
        if (ready.Error is { } error)
        {
            TrySetException(session.Values.Read(error));
            return;
        }

        try
        {
            TrySetStored(session.Values.Keep(ready.Value, typeof(T)));
        }
        catch (ServeException thrown)
        {
            TrySetException(thrown);
        }
    }
}
