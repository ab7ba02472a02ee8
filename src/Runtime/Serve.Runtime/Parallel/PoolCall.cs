namespace Serve.Runtime.Parallel;

/// <summary>One call of a pool: waits for an actor, then for the actor's answer.</summary>
internal sealed class PoolCall<TActor>
    where TActor : class
{
    private readonly Func<ActorHandle<TActor>, ObjectRef> make;
    private readonly Action<PoolCall<TActor>, ActorHandle<TActor>?, Exception?> finished;
    private ObjectRef? result;
    private Exception? failure;

    public PoolCall(Cluster cluster, Func<ActorHandle<TActor>, ObjectRef> make, Action<PoolCall<TActor>, ActorHandle<TActor>?, Exception?> finished)
    {
        (this.make, this.finished) = (make, finished);
        Ended = new End(cluster, this);
    }

    /// <summary>Ready when the call has ended, well or not, and its actor is free; set by whoever is told that it has finished.</summary>
    public Signal Ended { get; }

    public void Start(ActorHandle<TActor> actor)
    {
        try
        {
            result = make(actor);
            result.Demand(fetch: false);
            if (!result.TryOnReady(new Answer(this, actor)))
                finished(this, actor, result.Error);
        }
        catch (Exception thrown)
        {
            failure = thrown;
            finished(this, actor, thrown);
        }
    }

    public void Fail(Exception reason)
    {
        failure = reason;
        finished(this, null, reason);
    }

    public ValueTask<TResult> ResultAsync<TResult>(Cluster cluster, CancellationToken cancellationToken) => result switch
    {
        null => ValueTask.FromException<TResult>(failure!),
        ObjectRef<TResult> typed => cluster.Get(typed, null, cancellationToken),
        _ => ValueTask.FromException<TResult>(new InvalidCastException(
            $"The pool's next result is a {result.ValueType}, not a {typeof(TResult)}; it was submitted by another call.")),
    };

    /// <summary>The end of a call, which knows the call.</summary>
    internal sealed class End(Cluster cluster, PoolCall<TActor> call) : Signal(cluster)
    {
        public PoolCall<TActor> Call => call;
    }

    private sealed class Answer(PoolCall<TActor> call, ActorHandle<TActor> actor) : RefContinuation
    {
        internal override void Run() => call.finished(call, actor, call.result!.Error);
    }
}
