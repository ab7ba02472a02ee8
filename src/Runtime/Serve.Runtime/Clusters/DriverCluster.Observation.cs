using Serve.Runtime.Observation;

namespace Serve.Runtime.Clusters;

/// <content>Observation from other processes.</content>
public sealed partial class DriverCluster
{
    private LocalApiPublisher? _observation;

    private IClusterDashboard? _dashboard;

    /// <inheritdoc/>
    public override string? DashboardUrl => Volatile.Read(ref _dashboard)?.Url;

    /// <summary>Sets the dashboard, which is disposed with the cluster.</summary>
    /// <param name="dashboard">The dashboard.</param>
    public void Attach(IClusterDashboard dashboard) => Volatile.Write(ref _dashboard, dashboard);

    /// <summary>Whether other processes can observe the cluster, now or soon.</summary>
    internal bool IsObserved => Volatile.Read(ref _observation) is not null;

    /// <summary>Makes the cluster observable from other processes; called once, possibly after the cluster was disposed.</summary>
    public void Observe()
    {
        lock (_making)
        {
            if (!IsDisposed)
                _observation = new(LocalApiAnnouncement.OfClusters(), "", context => ClusterStateRequests.RespondAsync(this, context), TimeProvider.System);
        }
    }

    private ValueTask EndObservationAsync()
    {
        LocalApiPublisher? made;
        lock (_making)
            made = _observation;
        return made?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
