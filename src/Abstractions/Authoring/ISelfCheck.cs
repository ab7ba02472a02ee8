namespace Serve;

/// <summary>
/// A deployment that knows whether it is well. A public method <c>CheckHealth</c> of the same shape works without the interface.
/// </summary>
public interface ISelfCheck
{
    /// <summary>Called every <see cref="Specs.DeploymentSpec.HealthCheckPeriodS"/>. Throwing, or not answering in time, three times in a row has the replica replaced.</summary>
    /// <param name="cancellationToken">Fires when the check has taken too long.</param>
    /// <returns>Completes when the replica is well.</returns>
    ValueTask CheckHealth(CancellationToken cancellationToken);
}
