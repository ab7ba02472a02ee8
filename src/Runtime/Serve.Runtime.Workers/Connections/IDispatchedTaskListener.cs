namespace Serve.Runtime.Workers.Connections;

/// <summary>Receives the events of a dispatched attempt besides its result, on the reading thread of the connection.</summary>
internal interface IDispatchedTaskListener
{
    /// <summary>The reply has arrived; the attempt is notified next.</summary>
    void OnEnded(DispatchedTask run, TimeSpan took);

    /// <summary>The worker returned it unstarted.</summary>
    void OnReturned(DispatchedTask run);

    /// <summary>Its worker exited.</summary>
    void OnLost(DispatchedTask run, string reason);

    /// <summary>Its code began or ended a wait for objects.</summary>
    void OnWaiting(DispatchedTask run);
}
