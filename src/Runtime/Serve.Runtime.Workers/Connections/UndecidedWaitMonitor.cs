using System.Collections.Concurrent;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Waits of async code in a worker, of which it shows only after they have begun whether they hold up their task: the head is told of those that do.</summary>
internal sealed class UndecidedWaitMonitor(DriverConnection session) : LongWaitPoller(TimeProvider.System)
{
    private readonly ConcurrentDictionary<long, ObjectRefWait> _waits = new();

    public void Add(ObjectRefWait wait)
    {
        _waits[wait.Number] = wait;
        Arm();
    }

    public void Remove(ObjectRefWait wait) => _waits.TryRemove(wait.Number, out _);

    protected override bool Look()
    {
        foreach (var (number, wait) in _waits)
        {
            if (wait.IsStuck && _waits.TryRemove(number, out _))
                session.Send(new() { WaitStuck = number });
        }

        return !_waits.IsEmpty;
    }
}
