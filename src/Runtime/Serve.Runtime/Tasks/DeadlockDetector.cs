using System.Diagnostics;
using System.Text;

namespace Serve.Runtime.Tasks;

/// <summary>Finds tasks and actor calls that wait for each other in a cycle, and fails the youngest object that one of them waits for. Polls while any code waits.</summary>
/// <remarks>
/// Every <see cref="ObjectDependency"/> is necessary for its producer, so a cycle of dependencies that exist at the same time is a deadlock. A poll stops nothing and is
/// no consistent snapshot; but a dependency that two consecutive polls find with the same <see cref="ObjectDependency.Since"/> existed during the whole time between them.
/// Only such dependencies count. See docs/decisions/0010.
/// </remarks>
internal sealed class DeadlockDetector : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestPeriod = TimeSpan.FromSeconds(1);

    // A poll uses at most this fraction of a CPU's time, unless it takes very long.
    private const int InverseCpuShare = 20;

    private readonly Action<WaitingTaskSnapshot> _observe;
    private readonly ITimer _timer;
    private readonly Lock _pollLock = new();
    private HashSet<(ObjectRef Source, ObjectRef Target, object Since)> _previous = [];
    private int _isArmed;

    /// <param name="observe">Adds waiting tasks and calls, and the resources they hold.</param>
    /// <param name="time">Clock of the polls.</param>
    public DeadlockDetector(Action<WaitingTaskSnapshot> observe, TimeProvider time)
    {
        _observe = observe;
        // Polls run in no context of the code that waits.
        using (ExecutionContext.SuppressFlow())
            _timer = time.CreateTimer(static self => ((DeadlockDetector)self!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Waiting holders of resources, as found by the current poll.</summary>
    public IReadOnlyList<WaitingResourceHolder> Holders { get; private set; } = [];

    /// <summary>Starts polling because a wait has begun.</summary>
    public void Arm()
    {
        // The wait was written before this barrier; the last poll clears the flag before it reads. One of the two sees the other.
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _isArmed) == 0 && Interlocked.Exchange(ref _isArmed, 1) == 0)
            _timer.Change(Period, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();

    private void OnTimer()
    {
        var started = Stopwatch.GetTimestamp();
        if (!TryPoll())
        {
            Interlocked.Exchange(ref _isArmed, 0);
            if (!TryPoll() || Interlocked.Exchange(ref _isArmed, 1) != 0)
                return;
        }

        var pause = Stopwatch.GetElapsedTime(started).Ticks * InverseCpuShare;
        _timer.Change(TimeSpan.FromTicks(Math.Clamp(pause, Period.Ticks, LongestPeriod.Ticks)), Timeout.InfiniteTimeSpan);
    }

    // Armed again during the last poll, another one could start concurrently: hence the lock.
    private bool TryPoll()
    {
        lock (_pollLock)
        {
            try
            {
                return Poll();
            }
            catch (Exception thrown)
            {
                // An exception on a timer thread would terminate the program.
                Debug.Fail(thrown.ToString());
                return true;
            }
        }
    }

    /// <summary>Searches for cycles.</summary>
    /// <returns>Whether any code waits.</returns>
    private bool Poll()
    {
        var snapshot = new WaitingTaskSnapshot();
        _observe(snapshot);
        Holders = snapshot.Holders;
        var graph = CollectDependencies(snapshot.Waiting);
        Holders = [];
        var current = new HashSet<(ObjectRef, ObjectRef, object)>();
        foreach (var (source, dependencies) in graph)
        {
            current.UnionWith(dependencies.Select(dependency => (source, dependency.Target, dependency.Since)));
            dependencies.RemoveAll(dependency => !_previous.Contains((source, dependency.Target, dependency.Since)));
        }

        _previous = current;
        while (FindCycle(graph) is { Count: > 0 } cycle)
            graph.Remove(BreakCycle(cycle));
        return snapshot.Waiting.Count > 0;
    }

    private static Dictionary<ObjectRef, List<ObjectDependency>> CollectDependencies(IEnumerable<ObjectRef> waiting)
    {
        var graph = new Dictionary<ObjectRef, List<ObjectDependency>>();
        var open = new Stack<ObjectRef>(waiting);
        while (open.TryPop(out var source))
        {
            if (source.IsReady || graph.ContainsKey(source))
                continue;
            var dependencies = new List<ObjectDependency>();
            source.Producer?.AddDependencies(dependencies);
            graph.Add(source, dependencies);
            foreach (var dependency in dependencies)
                open.Push(dependency.Target);
        }

        return graph;
    }

    /// <summary>Returns a cycle; empty if there is none. Removes everything that cannot be part of one from the graph.</summary>
    private static List<(ObjectRef Source, ObjectDependency Dependency)> FindCycle(Dictionary<ObjectRef, List<ObjectDependency>> graph)
    {
        bool isChanged;
        do
        {
            // A target was mostly added after its source: in reverse order one pass removes a whole chain.
            isChanged = false;
            foreach (var source in graph.Keys.Reverse().ToArray())
            {
                graph[source].RemoveAll(dependency => !graph.ContainsKey(dependency.Target));
                if (graph[source].Count == 0)
                    isChanged |= graph.Remove(source);
            }
        }
        while (isChanged);

        var path = new List<(ObjectRef Source, ObjectDependency Dependency)>();
        var positions = new Dictionary<ObjectRef, int>();
        for (var at = graph.Keys.FirstOrDefault(); at is not null; at = path[^1].Dependency.Target)
        {
            if (!positions.TryAdd(at, path.Count))
                return path[positions[at]..];
            path.Add((at, graph[at][0]));
        }

        return path;
    }

    /// <summary>Fails the youngest object that code in the cycle waits for.</summary>
    /// <returns>The object.</returns>
    private static ObjectRef BreakCycle(List<(ObjectRef Source, ObjectDependency Dependency)> cycle)
    {
        var awaited = cycle.Where(entry => entry.Dependency.Since is ObjectRefWait).Select(entry => entry.Dependency.Target).MaxBy(target => target.Id.Number);
        if (awaited is null)
            return cycle[0].Source;
        var text = new StringBuilder("Deadlock: the following tasks wait for each other in a cycle:");
        foreach (var (source, dependency) in cycle)
            text.AppendLine().Append("  ").Append(Label(source)).Append(' ').Append(dependency.Reason ?? $"waits for {Label(dependency.Target)}");
        var failure = new DeadlockException(text.AppendLine().Append("Pass references as arguments instead of waiting for them inside of tasks, or wait with a timeout.").ToString());
        awaited.Producer?.Fail(failure);
        awaited.TrySetException(failure);
        return awaited;
    }

    private static string Label(ObjectRef reference) => reference.Producer?.Label ?? $"object {reference.Id}";
}
