using System.Collections.Concurrent;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Sessions;

/// <summary>Waits of async code in a worker, of which it shows only after they have begun whether they hold up their task: the head is told of those that do.</summary>
internal sealed class UnclearWaits(WorkerSession session) : WaitWatch(TimeProvider.System)
{
    private readonly ConcurrentDictionary<long, RefWait> waits = new();

    public void Add(RefWait wait)
    {
        waits[wait.Number] = wait;
        Arm();
    }

    public void Remove(RefWait wait) => waits.TryRemove(wait.Number, out _);

    protected override bool Look()
    {
        foreach (var (number, wait) in waits)
        {
            if (wait.IsStuck && waits.TryRemove(number, out _))
                session.Send(new() { WaitStuck = number });
        }

        return !waits.IsEmpty;
    }
}
