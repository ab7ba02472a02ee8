using Serve.Runtime.Workers.Processes;

namespace Serve.Runtime.Workers.Nodes;

/// <summary>Keeps spare workers, and the files of packages in the page cache. Its request is written under its lock.</summary>
internal sealed class NodeStandbyKeeper : IAsyncDisposable
{
    /// <summary>How often the files are read: the operating system drops pages that nothing reads first.</summary>
    private static readonly TimeSpan ReadPeriod = TimeSpan.FromMinutes(1);

    private readonly WorkerProcessPool _pool;
    private readonly INodePackageSource? _packages;
    private readonly Lock _sync = new();
    private readonly CancellationTokenSource _stopping = new();
    private readonly ITimer _timer;
    private NodeStandby _standby = NodeStandby.None;
    private Task _reading = Task.CompletedTask;

    public NodeStandbyKeeper(WorkerProcessPool pool, INodePackageSource? packages, TimeProvider time)
    {
        (_pool, _packages) = (pool, packages);
        _timer = time.CreateTimer(_ => Read(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Keep(NodeStandby standby)
    {
        lock (_sync)
            _standby = standby;
        _pool.KeepSpares(standby.SpareWorkers);
        var period = _packages is not null && standby is { MaxCachedBytes: > 0, Packages.Count: > 0 } ? ReadPeriod : Timeout.InfiniteTimeSpan;
        if (!_stopping.IsCancellationRequested)
            _timer.Change(period, period);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _timer.DisposeAsync();
        Task reading;
        lock (_sync)
            reading = _reading;
        await reading;
        _stopping.Dispose();
    }

    private void Read()
    {
        lock (_sync)
        {
            if (_reading.IsCompleted && !_stopping.IsCancellationRequested)
                _reading = Task.Run(() => Read(_standby, _stopping.Token));
        }
    }

    private void Read(NodeStandby standby, CancellationToken cancellationToken)
    {
        var left = standby.MaxCachedBytes;
        var buffer = new byte[1 << 20];
        try
        {
            foreach (var file in standby.Packages.SelectMany(_packages!.FindFiles))
            {
                left -= new FileInfo(file).Length;
                if (left < 0)
                    return;
                using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, FileOptions.SequentialScan);
                while (!cancellationToken.IsCancellationRequested && stream.Read(buffer) > 0)
                {
                    // The read itself is the effect.
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // A package that has just been deleted.
        }
    }
}
