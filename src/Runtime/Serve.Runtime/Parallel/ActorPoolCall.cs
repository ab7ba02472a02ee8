namespace Serve.Runtime.Parallel;

/// <summary>One call of a pool: waits for a free actor, then for the reply.</summary>
internal sealed class ActorPoolCall<TActor>
    where TActor : class
{
    private readonly Func<ActorHandle<TActor>, ObjectRef> _make;
    private readonly Action<ActorPoolCall<TActor>, ActorHandle<TActor>?, Exception?> _finished;
    private ObjectRef? _result;
    private Exception? _failure;

    public ActorPoolCall(Cluster cluster, Func<ActorHandle<TActor>, ObjectRef> make, Action<ActorPoolCall<TActor>, ActorHandle<TActor>?, Exception?> finished)
    {
        (_make, _finished) = (make, finished);
        Ended = new PoolCallCompletionRef(cluster, this);
    }

    /// <summary>Ready when the call has completed or failed and its actor is free; set by the pool.</summary>
    public CompletionSignalRef Ended { get; }

    public void Start(ActorHandle<TActor> actor)
    {
        try
        {
            _result = _make(actor);
            _result.RequestObject(fetch: false);
            if (!_result.TryAddContinuation(new PoolCallContinuation(this, actor)))
                _finished(this, actor, _result.Error);
        }
        catch (Exception thrown)
        {
            _failure = thrown;
            _finished(this, actor, thrown);
        }
    }

    public void Fail(Exception reason)
    {
        _failure = reason;
        _finished(this, null, reason);
    }

    public ValueTask<TResult> ResultAsync<TResult>(Cluster cluster, CancellationToken cancellationToken) => _result switch
    {
        null => ValueTask.FromException<TResult>(_failure!),
        ObjectRef<TResult> typed => cluster.Get(typed, null, cancellationToken),
        _ => ValueTask.FromException<TResult>(new InvalidCastException(
            $"The next result of the pool is of type {_result.ValueType}, not {typeof(TResult)}; it was submitted by another call.")),
    };

    /// <summary>Completion of a call, with a reference to the call.</summary>
    internal sealed class PoolCallCompletionRef(Cluster cluster, ActorPoolCall<TActor> call) : CompletionSignalRef(cluster)
    {
        public ActorPoolCall<TActor> Call => call;
    }

    private sealed class PoolCallContinuation(ActorPoolCall<TActor> call, ActorHandle<TActor> actor) : ObjectRefContinuation
    {
        public override void Run() => call._finished(call, actor, call._result!.Error);
    }
}

/// <summary>Reference that represents an event, so that a waiting task releases its CPU.</summary>
internal class CompletionSignalRef(Cluster cluster) : ObjectRef<object?>(cluster, default)
{
    public void Set() => TrySetResult(null);
}
