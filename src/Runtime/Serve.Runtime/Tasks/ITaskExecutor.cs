namespace Serve.Runtime.Tasks;

/// <summary>Runs task attempts whose resources are reserved: on threads of this process or in workers.</summary>
public interface ITaskExecutor
{
    /// <summary>
    /// Returns how many attempts may be in flight at once on the resources of one. Above 1, short attempts need not wait for a round trip each; the executor
    /// runs them one after the other.
    /// </summary>
    /// <param name="lane">Pipeline of the attempts: their <see cref="ITaskAttempt.Pipeline"/>.</param>
    int DepthOf(object lane) => 1;

    /// <summary>Starts an attempt. Never throws; failures are reported to the attempt.</summary>
    void Start(ITaskAttempt attempt);

    /// <summary>Terminates an attempt that ignores its cancellation token by killing its worker, where that is possible.</summary>
    void Kill(ITaskAttempt attempt);
}
