using System.Runtime.CompilerServices;
using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>
/// Distributes calls over actors, one call at a time per actor: a call waits until an actor is free. A dead actor is removed; when none is left, waiting calls
/// fail like its last call. Thread-safe.
/// </summary>
/// <typeparam name="TActor">Class of the actors.</typeparam>
public sealed class ActorPool<TActor>
    where TActor : class
{
    private readonly Lock _sync = new();
    private readonly Cluster _cluster;
    private readonly Queue<ActorHandle<TActor>> _idle = new();
    private readonly Queue<ActorPoolCall<TActor>> _waiting = new();
    private readonly LinkedList<ActorPoolCall<TActor>> _results = new();
    private readonly List<CompletionSignalRef> _listeners = [];
    private int _busy;
    private Exception? _lastDeath;

    /// <summary>Creates a pool of idle actors.</summary>
    /// <param name="actors">Actors; at least one.</param>
    public ActorPool(params IEnumerable<ActorHandle<TActor>> actors)
    {
        foreach (var actor in actors)
            _idle.Enqueue(actor);
        _cluster = _idle.TryPeek(out var first) ? first.Cluster : throw new ArgumentException("A pool needs an actor.", nameof(actors));
    }

    /// <summary>Whether results of <see cref="Submit{T, TResult}"/> remain, ready or not.</summary>
    public bool HasNext
    {
        get
        {
            lock (_sync)
                return _results.Count > 0;
        }
    }

    /// <summary>Whether a call would start immediately.</summary>
    public bool HasFree
    {
        get
        {
            lock (_sync)
                return _idle.Count > 0;
        }
    }

    /// <summary>Calls an actor as soon as one is free; <see cref="GetNext{TResult}"/> returns the result.</summary>
    /// <typeparam name="T">Type of the argument.</typeparam>
    /// <typeparam name="TResult">Type of the result.</typeparam>
    /// <param name="call">Makes the call: <c>(actor, x) => actor.Double.Remote(x)</c>.</param>
    /// <param name="value">Argument of the call.</param>
    public void Submit<T, TResult>(Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, T value)
    {
        ArgumentNullException.ThrowIfNull(call);
        var made = new ActorPoolCall<TActor>(_cluster, actor => call(actor, value), Finished);
        lock (_sync)
            _results.AddLast(made);
        Enqueue(made);
    }

    /// <summary>Returns the next result in the order of submission.</summary>
    /// <typeparam name="TResult">Type of the result.</typeparam>
    /// <param name="timeout">Maximum wait; the result remains available afterwards. Default: unlimited.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The result; throws the exception of the call.</returns>
    /// <exception cref="InvalidOperationException">No results are left.</exception>
    /// <exception cref="TimeoutException">The result was not ready in time.</exception>
    public async Task<TResult> GetNext<TResult>(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        ActorPoolCall<TActor> next;
        lock (_sync)
        {
            next = _results.First?.Value ?? throw NoneLeft();
            _results.RemoveFirst();
        }

        try
        {
            await _cluster.Get(next.Ended, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception end) when (end is TimeoutException or OperationCanceledException)
        {
            // The result was not delivered: the next caller gets it.
            lock (_sync)
                _results.AddFirst(next);
            throw;
        }

        return await next.ResultAsync<TResult>(_cluster, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Returns the result that is ready first.</summary>
    /// <inheritdoc cref="GetNext{TResult}"/>
    public async Task<TResult> GetNextUnordered<TResult>(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            CompletionSignalRef some;
            lock (_sync)
            {
                if (_results.Count == 0)
                    throw NoneLeft();
                if (_results.FirstOrDefault(call => call.Ended.IsReady) is { } ready)
                {
                    _results.Remove(ready);
                    some = ready.Ended;
                }
                else
                {
                    _listeners.Add(some = new CompletionSignalRef(_cluster));
                }
            }

            if (some is ActorPoolCall<TActor>.PoolCallCompletionRef end)
                return await end.Call.ResultAsync<TResult>(_cluster, cancellationToken).ConfigureAwait(false);
            await _cluster.Get(some, timeout, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Calls the actors with each value and returns the results in the order of the values. Reads few values ahead; they may be infinite.</summary>
    /// <typeparam name="T">Type of the values.</typeparam>
    /// <typeparam name="TResult">Type of the results.</typeparam>
    /// <param name="call">Makes the call.</param>
    /// <param name="values">Values.</param>
    /// <param name="cancellationToken">Cancels the enumeration.</param>
    /// <returns>The results; throws the exception of a call.</returns>
    public IAsyncEnumerable<TResult> Map<T, TResult>(Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, IEnumerable<T> values, CancellationToken cancellationToken = default) =>
        RunAsync(call, values, isOrdered: true, cancellationToken);

    /// <summary>Calls the actors with each value and returns each result as soon as it is ready.</summary>
    /// <inheritdoc cref="Map{T, TResult}"/>
    public IAsyncEnumerable<TResult> MapUnordered<T, TResult>(Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, IEnumerable<T> values, CancellationToken cancellationToken = default) =>
        RunAsync(call, values, isOrdered: false, cancellationToken);

    /// <summary>Adds an idle actor.</summary>
    /// <param name="actor">Actor that is not in the pool.</param>
    public void Push(ActorHandle<TActor> actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        lock (_sync)
            _idle.Enqueue(actor);
        StartWaiting();
    }

    /// <summary>Removes an idle actor from the pool.</summary>
    /// <returns>The actor; null if all are busy.</returns>
    public ActorHandle<TActor>? PopIdle()
    {
        lock (_sync)
            return _idle.TryDequeue(out var actor) ? actor : null;
    }

    private static InvalidOperationException NoneLeft() => new("The pool has no results left: all submitted calls have been returned.");

    private async IAsyncEnumerable<TResult> RunAsync<T, TResult>(
        Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, IEnumerable<T> values, bool isOrdered, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(values);
        using var source = values.GetEnumerator();
        var underWay = new List<ActorPoolCall<TActor>>();
        var isEnded = false;
        while (true)
        {
            while (!isEnded && underWay.Count < Room() && (isEnded = !source.MoveNext()) is false)
            {
                var value = source.Current;
                var made = new ActorPoolCall<TActor>(_cluster, actor => call(actor, value), Finished);
                underWay.Add(made);
                Enqueue(made);
            }

            if (underWay.Count == 0)
                yield break;
            IEnumerable<ObjectRef<object?>> awaited = isOrdered ? [underWay[0].Ended] : underWay.Select(one => one.Ended);
            await _cluster.Wait(awaited, 1, null, cancellationToken).ConfigureAwait(false);
            var next = underWay.First(one => one.Ended.IsReady);
            underWay.Remove(next);
            yield return await next.ResultAsync<TResult>(_cluster, cancellationToken).ConfigureAwait(false);
        }
    }

    private int Room()
    {
        lock (_sync)
            return Math.Max(1, 2 * (_idle.Count + _busy));
    }

    private void Enqueue(ActorPoolCall<TActor> call)
    {
        lock (_sync)
            _waiting.Enqueue(call);
        StartWaiting();
    }

    private void StartWaiting()
    {
        while (true)
        {
            ActorPoolCall<TActor>? call;
            ActorHandle<TActor>? actor;
            Exception? nobody;
            lock (_sync)
            {
                nobody = _idle.Count == 0 && _busy == 0 ? _lastDeath : null;
                if (_waiting.Count == 0 || (_idle.Count == 0 && nobody is null))
                    return;
                call = _waiting.Dequeue();
                if (_idle.TryDequeue(out actor))
                    _busy++;
            }

            if (actor is null)
                call.Fail(nobody!);
            else
                call.Start(actor);
        }
    }

    private void Finished(ActorPoolCall<TActor> call, ActorHandle<TActor>? actor, Exception? failure)
    {
        CompletionSignalRef[] told;
        lock (_sync)
        {
            if (actor is not null)
            {
                _busy--;
                if (failure is ActorDiedException)
                    _lastDeath = failure;
                else
                    _idle.Enqueue(actor);
            }
        }

        call.Ended.Set();
        lock (_sync)
        {
            told = [.. _listeners];
            _listeners.Clear();
        }

        foreach (var listener in told)
            listener.Set();
        StartWaiting();
    }
}
