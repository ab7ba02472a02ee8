using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>
/// Calls of one mailbox that wait for arguments, by caller: such a call holds back the later ones of its caller, and nobody else's. Its
/// lanes are written under its lock; it is empty nearly always, and then costs a look.
/// </summary>
internal sealed class CallerArgumentQueues(MailboxTurnScheduler turns)
{
    private readonly Lock _sync = new();
    private readonly Dictionary<object, Queue<QueuedCall>> _lanes = new(ReferenceEqualityComparer.Instance);
    private volatile bool _any;

    /// <summary>Whether a call must come through <see cref="Post"/> even when all its arguments are there.</summary>
    public bool Any => _any;

    /// <summary>Posts a call when its arguments and the calls before it are ready.</summary>
    public void Post(IPendingActorCall call, object caller, IReadOnlyList<ObjectRef> arguments)
    {
        var missing = arguments.Where(argument => !argument.IsReady).ToArray();
        QueuedCall entry;
        lock (_sync)
        {
            var isHeld = _lanes.TryGetValue(caller, out var lane);
            if (!isHeld && missing.Length == 0)
            {
                PostNow(call, arguments);
                return;
            }

            entry = new(this, caller, call, arguments, missing.Length + 1);
            if (!isHeld)
                _lanes.Add(caller, lane = new());
            lane!.Enqueue(entry);
            _any = true;
        }

        foreach (var argument in missing)
        {
            argument.RequestObject(fetch: true);
            if (!argument.TryAddContinuation(new ArgumentReadyContinuation(entry)))
                entry.OnReady();
        }

        // One that is cancelled holds nobody back.
        call.Reference.TryAddContinuation(new CallSettledContinuation(entry));
        entry.OnReady();
    }

    public IReadOnlyList<IPendingActorCall> Waiting
    {
        get
        {
            lock (_sync)
                return [.. _lanes.Values.SelectMany(lane => lane).Select(entry => entry.Call)];
        }
    }

    public IReadOnlyList<IPendingActorCall> RemoveAll()
    {
        lock (_sync)
        {
            var all = _lanes.Values.SelectMany(lane => lane).Select(entry => entry.Call).OrderBy(call => call.Order).ToArray();
            _lanes.Clear();
            _any = false;
            return all;
        }
    }

    // Under the lock, so that what is posted stays in order.
    private void PostNow(IPendingActorCall call, IReadOnlyList<ObjectRef> arguments)
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
        lock (_sync)
        {
            if (!_lanes.TryGetValue(caller, out var lane))
                return;
            while (lane.TryPeek(out var first) && first.IsReady)
            {
                lane.Dequeue();
                PostNow(first.Call, first.Arguments);
            }

            if (lane.Count > 0)
                return;
            _lanes.Remove(caller);
            _any = _lanes.Count > 0;
        }
    }

    private sealed class QueuedCall(CallerArgumentQueues lanes, object caller, IPendingActorCall call, IReadOnlyList<ObjectRef> arguments, int missing)
    {
        private int _missing = missing;

        public IPendingActorCall Call => call;

        public IReadOnlyList<ObjectRef> Arguments => arguments;

        public bool IsReady => Volatile.Read(ref _missing) <= 0 || call.Reference.IsReady;

        public void OnReady()
        {
            if (Interlocked.Decrement(ref _missing) == 0)
                lanes.Advance(caller);
        }

        public void OnSettled() => lanes.Advance(caller);
    }

    private sealed class ArgumentReadyContinuation(QueuedCall entry) : ObjectRefContinuation
    {
        public override void Run() => entry.OnReady();
    }

    private sealed class CallSettledContinuation(QueuedCall entry) : ObjectRefContinuation
    {
        public override void Run() => entry.OnSettled();
    }
}
