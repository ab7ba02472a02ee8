using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>
/// Calls of one mailbox that wait for arguments, by caller: such a call holds back the later ones of its caller, and nobody else's. Its
/// lanes are written under its lock; it is empty nearly always, and then costs a look.
/// </summary>
internal sealed class CallerLanes(MailboxTurns turns)
{
    private readonly Lock sync = new();
    private readonly Dictionary<object, Queue<Entry>> lanes = new(ReferenceEqualityComparer.Instance);
    private volatile bool any;

    /// <summary>Whether a call must come through <see cref="Post"/> even when all its arguments are there.</summary>
    public bool Any => any;

    /// <summary>Posts a call when its arguments and the calls before it are ready.</summary>
    public void Post(IActorCall call, object caller, IReadOnlyList<ObjectRef> arguments)
    {
        var missing = arguments.Where(argument => !argument.IsReady).ToArray();
        Entry entry;
        lock (sync)
        {
            var isHeld = lanes.TryGetValue(caller, out var lane);
            if (!isHeld && missing.Length == 0)
            {
                PostNow(call, arguments);
                return;
            }

            entry = new(this, caller, call, arguments, missing.Length + 1);
            if (!isHeld)
                lanes.Add(caller, lane = new());
            lane!.Enqueue(entry);
            any = true;
        }

        foreach (var argument in missing)
        {
            argument.Demand(fetch: true);
            if (!argument.TryOnReady(new Ready(entry)))
                entry.OnReady();
        }

        // One that is cancelled holds nobody back.
        call.Reference.TryOnReady(new Settled(entry));
        entry.OnReady();
    }

    public IReadOnlyList<IActorCall> Waiting
    {
        get
        {
            lock (sync)
                return [.. lanes.Values.SelectMany(lane => lane).Select(entry => entry.Call)];
        }
    }

    public IReadOnlyList<IActorCall> Steal()
    {
        lock (sync)
        {
            var all = lanes.Values.SelectMany(lane => lane).Select(entry => entry.Call).OrderBy(call => call.Order).ToArray();
            lanes.Clear();
            any = false;
            return all;
        }
    }

    // Under the lock, so that what is posted stays in order.
    private void PostNow(IActorCall call, IReadOnlyList<ObjectRef> arguments)
    {
        foreach (var argument in arguments)
        {
            if (argument.Error is not { } failure)
                continue;

            // Not under the lock: someone may be told who calls next.
            ThreadPool.UnsafeQueueUserWorkItem(static failed => failed.call.Fail(failed.failure), (call, failure), preferLocal: false);
            return;
        }

        turns.Post(call);
    }

    private void Advance(object caller)
    {
        lock (sync)
        {
            if (!lanes.TryGetValue(caller, out var lane))
                return;
            while (lane.TryPeek(out var first) && first.IsReady)
            {
                lane.Dequeue();
                PostNow(first.Call, first.Arguments);
            }

            if (lane.Count > 0)
                return;
            lanes.Remove(caller);
            any = lanes.Count > 0;
        }
    }

    private sealed class Entry(CallerLanes lanes, object caller, IActorCall call, IReadOnlyList<ObjectRef> arguments, int missing)
    {
        private int missing = missing;

        public IActorCall Call => call;

        public IReadOnlyList<ObjectRef> Arguments => arguments;

        public bool IsReady => Volatile.Read(ref missing) <= 0 || call.Reference.IsReady;

        public void OnReady()
        {
            if (Interlocked.Decrement(ref missing) == 0)
                lanes.Advance(caller);
        }

        public void OnSettled() => lanes.Advance(caller);
    }

    private sealed class Ready(Entry entry) : RefContinuation
    {
        internal override void Run() => entry.OnReady();
    }

    private sealed class Settled(Entry entry) : RefContinuation
    {
        internal override void Run() => entry.OnSettled();
    }
}
