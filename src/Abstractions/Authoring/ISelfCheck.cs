namespace Serve;

/// <summary>
/// A deployment with a health check. A public method <c>CheckHealth</c> with the same signature works without the interface.
/// </summary>
public interface ISelfCheck
{
    /// <summary>Runs every <see cref="Specs.DeploymentSpec.HealthCheckPeriodS"/>. The replica is replaced after three consecutive failures or timeouts.</summary>
    /// <param name="cancellationToken">Canceled when the check has timed out.</param>
    /// <returns>A task that completes if the replica is healthy.</returns>
    ValueTask CheckHealth(CancellationToken cancellationToken);
}
