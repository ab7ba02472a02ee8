using Serve.Runtime.Observation;

namespace Serve.Runtime.Clusters;

/// <content>Being looked at from other processes.</content>
internal sealed partial class HeadCluster
{
    private ClusterObservation? observation;

    /// <summary>Whether other processes can look at it, now or soon.</summary>
    internal bool IsObserved => Volatile.Read(ref observation) is not null;

    /// <summary>Lets other processes look at it from soon on; called once. It may have been disposed by then.</summary>
    public void Observe()
    {
        lock (making)
        {
            if (!IsDisposed)
                observation = new(this, ClusterAnnouncements.OfUser(), TimeProvider.System);
        }
    }

    private ValueTask EndObservationAsync()
    {
        ClusterObservation? made;
        lock (making)
            made = observation;
        return made?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
