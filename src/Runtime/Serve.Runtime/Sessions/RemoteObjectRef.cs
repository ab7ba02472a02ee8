using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>A worker's ref to an object that the head owns: asks for it when someone first waits. The head keeps the object as long as the hold lives.</summary>
internal sealed class RemoteObjectRef<T>(DriverConnection session, BorrowedObjectHold hold) : ObjectRef<T>(session.Cluster, hold.Id), IPendingObjectRequest
{
    private int _demanded;

    /// <summary>Keeps the object.</summary>
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
            TrySetException(WireExceptionConverter.FromWire(error));
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
