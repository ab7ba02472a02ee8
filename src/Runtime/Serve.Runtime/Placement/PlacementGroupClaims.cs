namespace Serve.Runtime.Placement;

/// <summary>
/// Prevents a steady flow of tasks from starving a placement group with a large demand: after a while, released resources are kept for the group for some time;
/// then not, because the holders of the resources may wait for the blocked tasks; then for twice as long, and so on. That alternation is written under
/// its lock.
/// </summary>
internal sealed class PlacementGroupClaims
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private readonly PlacementGroupTable _table;
    private readonly TimeProvider _time;
    private readonly Lock _sync = new();
    private ITimer? _timer;
    private TimeSpan _window;
    private bool _isOn;
    private bool _isStopped;

    public PlacementGroupClaims(PlacementGroupTable table, TimeProvider time)
    {
        _table = table;
        _time = time;
    }

    /// <summary>Starts watching because a group may wait from now on.</summary>
    public void Start()
    {
        if (_table.Wanted is null)
            return;
        lock (_sync)
        {
            if (_timer is not null || _isStopped)
                return;
            (_window, _isOn) = (First, false);
            _timer = _time.CreateTimer(static self => ((PlacementGroupClaims)self!).Turn(), this, _window, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Drops the claim because no group waits any more.</summary>
    public void Drop()
    {
        lock (_sync)
        {
            _timer?.Dispose();
            _timer = null;
            if (!_isOn)
                return;
            _isOn = false;
        }

        _table.Claim(null);
    }

    /// <summary>Stops watching because the table is closed.</summary>
    public void Stop()
    {
        lock (_sync)
        {
            _isStopped = true;
            _timer?.Dispose();
        }
    }

    private void Turn()
    {
        var wanted = _table.Wanted;
        lock (_sync)
        {
            if (_timer is null || _isStopped)
                return;
            _isOn = !_isOn && wanted is not null;
            if (!_isOn)
                _window = _window * 2 < Longest ? _window * 2 : Longest;
            _timer.Change(_window, Timeout.InfiniteTimeSpan);
        }

        if (wanted is null)
            Drop();
        _table.Claim(_isOn ? wanted : null);
    }
}
