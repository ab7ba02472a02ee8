using Serve.Runtime.Turns;

namespace Serve.Runtime.Actors;

/// <summary>
/// Queues of the calls of one mailbox that wait for arguments, by caller: a waiting call holds back later calls of the same caller only, which keeps their order.
/// State is guarded by a lock; usually empty, in which case only <see cref="Any"/> is read.
/// </summary>
public sealed class CallerArgumentQueues(MailboxTurnScheduler turns)
{
    private readonly Lock _sync = new();
    private readonly Dictionary<object, Queue<QueuedCall>> _lanes = new(ReferenceEqualityComparer.Instance);
    private volatile bool _any;

    /// <summary>Whether calls must be posted through <see cref="Post"/> even if all their arguments are ready.</summary>
    public bool Any => _any;

    /// <summary>Posts a call to the mailbox as soon as its arguments are ready and the earlier calls of its caller have been posted.</summary>
    internal void Post(IPendingActorCall call, object caller, IReadOnlyList<ObjectRef> arguments)
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

        // A canceled call no longer holds back later ones.
        call.Reference.TryAddContinuation(new CallSettledContinuation(entry));
        entry.OnReady();
    }

    internal IReadOnlyList<IPendingActorCall> Waiting
    {
        get
        {
            lock (_sync)
                return [.. _lanes.Values.SelectMany(lane => lane).Select(entry => entry.Call)];
        }
    }

    internal IReadOnlyList<IPendingActorCall> RemoveAll()
    {
        lock (_sync)
        {
            var all = _lanes.Values.SelectMany(lane => lane).Select(entry => entry.Call).OrderBy(call => call.Order).ToArray();
            _lanes.Clear();
            _any = false;
            return all;
        }
    }

    // Called under the lock, so that calls are posted in order.
    private void PostNow(IPendingActorCall call, IReadOnlyList<ObjectRef> arguments)
    {
        foreach (var argument in arguments)
        {
            if (argument.Error is not { } failure)
                continue;

            // Not under the lock: continuations of the failed call may make other calls.
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
