using System.Diagnostics;
using System.Runtime.CompilerServices;
using Serve.Calls;
using Serve.Runtime.Methods;

namespace Serve.Runtime;

/// <summary>An actor hosted by this process: its concurrency limiter, turn scheduler and instance. Translates the outcomes of calls; <see cref="ActorShutdownSequence"/> ends the actor.</summary>
public sealed class HostedActor(ActorInstance instance, ActorActivationContext activation, ActorShutdownSequence life, Func<HostProcessAddress> process) : ILocalActor
{
    private readonly ConcurrencyLimiter _gate = activation.Gate;
    private readonly ActorTurnScheduler _turns = activation.Turns;
    private readonly ActorMethodTable _methods = instance.Methods;
    private readonly ActorCallInvoker _invoker = new(instance.Target, instance.Methods);
    private readonly bool _seesRequests = instance.SeesRequests;
    private readonly IActorCallObserver? _observer = instance.Calls;

    public ActorId Id { get; } = activation.Spec.Id;

    public HostProcessAddress Process => process();

    public ActorInstance Instance => instance;

    public bool IsStopping => activation.Gate.IsClosed;

    public ActorActivationContext Context => activation;

    internal ActorShutdownSequence Shutdown => life;

    internal ActorCallInvoker Invoker => _invoker;

    internal ActorHealthMonitor Health { get; } = new(instance, activation.Turns);

    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken)
    {
        if (!_gate.TryEnter())
            return ValueTask.FromException<TResult>(Refusal());
        var started = _observer is null ? 0 : Stopwatch.GetTimestamp();
        var traits = _methods.TraitsOf(call.Method);
        if ((traits & ActorMethodTraits.Queued) != 0)
            return QueueAsync(call, context, started, cancellationToken);

        // If the caller has no token, user code receives the actor's own token and nothing needs to be linked.
        var linked = cancellationToken.CanBeCanceled && (_seesRequests || (traits & ActorMethodTraits.TakesToken) != 0)
            ? CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, life.Aborted)
            : null;
        var token = linked?.Token ?? life.Aborted;
        var request = _seesRequests ? new RequestContext(context, token) : null;
        var pending = _turns.RunAsync(
            new CallTurn<TResult>(this, call, request, cancellationToken, token),
            static turn => turn.Actor.Start(turn),
            (traits & ActorMethodTraits.Blocking) != 0);
        if (!pending.IsCompletedSuccessfully || linked is not null || _observer is not null)
            return FinishAsync(pending, call.Method, request, linked, started, cancellationToken);
        request?.End();
        _gate.Exit();
        return pending;
    }

    public async IAsyncEnumerable<TItem> StreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!_gate.TryEnter())
            throw Refusal();
        var started = Stopwatch.GetTimestamp();
        var traits = _methods.TraitsOf(call.Method);
        var queued = (traits & ActorMethodTraits.Queued) != 0;
        var blocking = (traits & ActorMethodTraits.Blocking) != 0;
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, life.Aborted);
        var request = _seesRequests || (queued && context.AffectsQueues) ? new RequestContext(context, linked.Token) : null;
        IAsyncEnumerator<TItem>? items = null;
        Exception? error = null;
        try
        {
            while (true)
            {
                try
                {
                    // Each step runs in the execution context of the consumer, so the context is set each time.
                    if (request is not null)
                        RequestContext.Current = request;
                    if (queued)
                    {
                        items ??= (await QueueStreamAsync(call, cancellationToken, linked.Token).ConfigureAwait(false)).GetAsyncEnumerator(linked.Token);
                    }
                    else if (items is null)
                    {
                        var source = await _turns.RunAsync(
                            new CallTurn<IAsyncEnumerable<TItem>>(this, call, request, cancellationToken, linked.Token),
                            static turn => turn.Actor.StartStream(turn), blocking).AsTask().WaitAsync(life.Abandoned).ConfigureAwait(false);
                        items = _turns.Wrap(source, blocking).GetAsyncEnumerator(linked.Token);
                    }

                    if (!await items.MoveNextAsync().AsTask().WaitAsync(life.Abandoned).ConfigureAwait(false))
                        break;
                }
                catch (Exception thrown)
                {
                    error = Translate(thrown, cancellationToken, queued);
                    if (ReferenceEquals(error, thrown))
                        throw;
                    throw error;
                }

                yield return items.Current;
            }
        }
        finally
        {
            await linked.CancelAsync().ConfigureAwait(false);
            await DisposeStreamAsync(items).ConfigureAwait(false);
            request?.End();
            _gate.Exit();
            _observer?.OnEnded(call.Method, Stopwatch.GetElapsedTime(started), error);
        }
    }

    private CallRefusedException Refusal() => new(Id.Value, gone: _gate.IsClosed);

    private ValueTask<TResult> Start<TResult>(in CallTurn<TResult> turn)
    {
        if (turn.Request is not null)
            return StartSeen(turn);
        Admit(turn.CallerToken);
        return _invoker.Invoke(turn.Call, turn.Token);
    }

    // The context is set for this turn only; the caller's own context is restored afterwards.
    private ValueTask<TResult> StartSeen<TResult>(in CallTurn<TResult> turn)
    {
        Admit(turn.CallerToken);
        var outer = RequestContext.Current;
        RequestContext.Current = turn.Request;
        try
        {
            return _invoker.Invoke(turn.Call, turn.Token);
        }
        finally
        {
            RequestContext.Current = outer;
        }
    }

    private ValueTask<IAsyncEnumerable<TItem>> StartStream<TItem>(in CallTurn<IAsyncEnumerable<TItem>> turn)
    {
        Admit(turn.CallerToken);
        return _invoker.InvokeStream(turn.Call, turn.Token);
    }

    /// <summary>Passes a call to its queue, outside of turns, with the requested model and the urgency, by which the queue groups and orders calls.</summary>
    private ValueTask<TResult> QueueAsync<TResult>(MethodCall<TResult> call, CallContext context, long started, CancellationToken cancellationToken)
    {
        ValueTask<TResult> pending;
        var token = cancellationToken.CanBeCanceled ? cancellationToken : life.Aborted;
        var request = _seesRequests || context.AffectsQueues ? new RequestContext(context, token) : null;
        var outer = request is null ? null : RequestContext.Current;
        try
        {
            Admit(cancellationToken);
            if (request is not null)
                RequestContext.Current = request;
            pending = _invoker.Queue(call, token);
        }
        catch (Exception thrown)
        {
            pending = ValueTask.FromException<TResult>(thrown);
        }
        finally
        {
            if (request is not null)
                RequestContext.Current = outer;
        }

        if (!pending.IsCompletedSuccessfully || _observer is not null)
            return FinishAsync(pending, call.Method, request, null, started, cancellationToken, queued: true);
        request?.End();
        _gate.Exit();
        return pending;
    }

    private ValueTask<IAsyncEnumerable<TItem>> QueueStreamAsync<TItem>(
        MethodCall<IAsyncEnumerable<TItem>> call, CancellationToken callerToken, CancellationToken token)
    {
        Admit(callerToken);
        return _invoker.QueueStream(call, token);
    }

    /// <summary>Checks for cancellation immediately before user code starts: the call may have waited for its turn for a long time.</summary>
    private void Admit(CancellationToken callerToken)
    {
        if (life.Aborted.IsCancellationRequested)
            throw new PlatformCallException(new CallRefusedException(Id.Value, gone: true));
        callerToken.ThrowIfCancellationRequested();
    }

    private async ValueTask<TResult> FinishAsync<TResult>(
        ValueTask<TResult> pending, string method, RequestContext? request, CancellationTokenSource? linked, long started, CancellationToken callerToken, bool queued = false)
    {
        Exception? error = null;
        try
        {
            return pending.IsCompleted
                ? pending.GetAwaiter().GetResult()
                : await pending.AsTask().WaitAsync(life.Abandoned).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            error = Translate(thrown, callerToken, queued);
            if (ReferenceEquals(error, thrown))
                throw;
            throw error;
        }
        finally
        {
            linked?.Dispose();
            request?.End();
            _gate.Exit();
            _observer?.OnEnded(method, Stopwatch.GetElapsedTime(started), error);
        }
    }

    private async ValueTask DisposeStreamAsync<TItem>(IAsyncEnumerator<TItem>? items)
    {
        try
        {
            if (items is not null)
                await items.DisposeAsync().AsTask().WaitAsync(life.Abandoned).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Leaving a stream early cancels it; its cancellation exception is expected.
        }
    }

    /// <summary>Maps an exception of a call to the exception that its caller receives.</summary>
    private Exception Translate(Exception thrown, CancellationToken callerToken, bool queued = false) => thrown switch
    {
        PlatformCallException fault => fault.Cause,
        // A queue may refuse a single call, and user code may reject a single item of a batch.
        BadInputException or OverloadedException when queued => thrown,
        UserCodeException user => user,
        OperationCanceledException when callerToken.IsCancellationRequested => thrown,
        OperationCanceledException when life.Aborted.IsCancellationRequested =>
            new ReplicaDiedException($"Replica {Id} was stopped before the call ended."),
        _ => new UserCodeException(thrown),
    };

    private readonly record struct CallTurn<TResult>(
        HostedActor Actor, MethodCall<TResult> Call, RequestContext? Request, CancellationToken CallerToken, CancellationToken Token);
}
