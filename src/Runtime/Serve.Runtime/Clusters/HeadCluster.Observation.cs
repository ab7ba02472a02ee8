using Serve.Runtime.Observation;

namespace Serve.Runtime.Clusters;

/// <content>Being looked at from other processes.</content>
internal sealed partial class HeadCluster
{
    private ClusterObservation? observation;

    /// <summary>Lets other processes look at it from soon on; called once.</summary>
    public void Observe() => observation = new(this, ClusterAnnouncements.OfUser(), TimeProvider.System);

    private ValueTask EndObservationAsync() => observation is null ? ValueTask.CompletedTask : observation.DisposeAsync();
}
