namespace Serve.Runtime.Workers.Connections;

/// <summary>Whoever gave a session a run, told of what becomes of it besides its result, on the session's reading thread.</summary>
internal interface IDispatchedTaskListener
{
    /// <summary>It is answered; its attempt is told next.</summary>
    void OnEnded(DispatchedTask run, TimeSpan took);

    /// <summary>The worker gave it back; it never started.</summary>
    void OnReturned(DispatchedTask run);

    /// <summary>Its worker is gone.</summary>
    void OnLost(DispatchedTask run, string reason);

    /// <summary>It waits for objects, or goes on.</summary>
    void OnWaiting(DispatchedTask run);
}
