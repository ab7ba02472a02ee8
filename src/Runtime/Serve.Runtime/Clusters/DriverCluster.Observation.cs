using Serve.Runtime.Observation;

namespace Serve.Runtime.Clusters;

/// <content>Being looked at from other processes.</content>
internal sealed partial class DriverCluster
{
    private ClusterObservationHost? _observation;

    /// <summary>Whether other processes can look at it, now or soon.</summary>
    internal bool IsObserved => Volatile.Read(ref _observation) is not null;

    /// <summary>Lets other processes look at it from soon on; called once. It may have been disposed by then.</summary>
    public void Observe()
    {
        lock (_making)
        {
            if (!IsDisposed)
                _observation = new(this, ClusterAnnouncementFolder.ForCurrentUser(), TimeProvider.System);
        }
    }

    private ValueTask EndObservationAsync()
    {
        ClusterObservationHost? made;
        lock (_making)
            made = _observation;
        return made?.DisposeAsync() ?? ValueTask.CompletedTask;
    }
}
