namespace Serve.Runtime.Sessions;

/// <summary>Whoever gave a session a run, told of what becomes of it besides its result, on the session's reading thread.</summary>
internal interface IRunListener
{
    /// <summary>It is answered; its attempt is told next.</summary>
    void OnEnded(SentRun run, TimeSpan took);

    /// <summary>The worker gave it back; it never started.</summary>
    void OnReturned(SentRun run);

    /// <summary>Its worker is gone.</summary>
    void OnLost(SentRun run, string reason);

    /// <summary>It waits for objects, or goes on.</summary>
    void OnWaiting(SentRun run);
}
