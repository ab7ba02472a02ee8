namespace Serve.Runtime.Placement;

/// <summary>
/// Sees to it that tasks which come without end do not starve a group that needs much at once: from a while on, what comes free is kept for
/// the group, for a time; then not for as long, since what is held up may be what the holders of the resources wait for; then for twice as long, and so on.
/// Its state is that alternation, written under its lock.
/// </summary>
internal sealed class GroupClaims
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private readonly PlacementTable table;
    private readonly TimeProvider time;
    private readonly Lock sync = new();
    private ITimer? timer;
    private TimeSpan window;
    private bool isOn;
    private bool isStopped;

    public GroupClaims(PlacementTable table, TimeProvider time)
    {
        this.table = table;
        this.time = time;
    }

    /// <summary>A group may wait from now on.</summary>
    public void Watch()
    {
        if (table.Wanted is null)
            return;
        lock (sync)
        {
            if (timer is not null || isStopped)
                return;
            (window, isOn) = (First, false);
            timer = time.CreateTimer(static self => ((GroupClaims)self!).Turn(), this, window, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>No group waits any more.</summary>
    public void Drop()
    {
        lock (sync)
        {
            timer?.Dispose();
            timer = null;
            if (!isOn)
                return;
            isOn = false;
        }

        table.Claim(null);
    }

    /// <summary>The table is closed.</summary>
    public void Stop()
    {
        lock (sync)
        {
            isStopped = true;
            timer?.Dispose();
        }
    }

    private void Turn()
    {
        var wanted = table.Wanted;
        lock (sync)
        {
            if (timer is null || isStopped)
                return;
            isOn = !isOn && wanted is not null;
            if (!isOn)
                window = window * 2 < Longest ? window * 2 : Longest;
            timer.Change(window, Timeout.InfiniteTimeSpan);
        }

        if (wanted is null)
            Drop();
        table.Claim(isOn ? wanted : null);
    }
}
