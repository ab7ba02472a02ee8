using System.Runtime.CompilerServices;
using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>
/// Spreads calls over actors, one call at a time on each: a call waits until an actor is free. An actor that has died is left out; when none is left, calls
/// that wait fail as its last call did. Thread-safe.
/// </summary>
/// <typeparam name="TActor">The actors' class.</typeparam>
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

    /// <summary>Makes a pool of actors that are idle.</summary>
    /// <param name="actors">At least one.</param>
    public ActorPool(params IEnumerable<ActorHandle<TActor>> actors)
    {
        foreach (var actor in actors)
            _idle.Enqueue(actor);
        _cluster = _idle.TryPeek(out var first) ? first.Cluster : throw new ArgumentException("A pool needs an actor.", nameof(actors));
    }

    /// <summary>Whether results of <see cref="Submit{T, TResult}"/> are still to be had, ready or not.</summary>
    public bool HasNext
    {
        get
        {
            lock (_sync)
                return _results.Count > 0;
        }
    }

    /// <summary>Whether a call would start at once.</summary>
    public bool HasFree
    {
        get
        {
            lock (_sync)
                return _idle.Count > 0;
        }
    }

    /// <summary>Calls an actor as soon as one is free; <see cref="GetNext{TResult}"/> has the result.</summary>
    /// <typeparam name="T">The argument's type.</typeparam>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="call">Makes the call: <c>(actor, x) => actor.Double.Remote(x)</c>.</param>
    /// <param name="value">Its argument.</param>
    public void Submit<T, TResult>(Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, T value)
    {
        ArgumentNullException.ThrowIfNull(call);
        var made = new ActorPoolCall<TActor>(_cluster, actor => call(actor, value), Finished);
        lock (_sync)
            _results.AddLast(made);
        Enqueue(made);
    }

    /// <summary>The next result in the order of submission.</summary>
    /// <typeparam name="TResult">The result's type.</typeparam>
    /// <param name="timeout">How long to wait at most; the result stays to be had. Default: for ever.</param>
    /// <param name="cancellationToken">Gives the wait up.</param>
    /// <returns>The result; throws what the call threw.</returns>
    /// <exception cref="InvalidOperationException">No results are left.</exception>
    /// <exception cref="TimeoutException">It was not ready in time.</exception>
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
            // Nobody has had it: whoever asks next gets it.
            lock (_sync)
                _results.AddFirst(next);
            throw;
        }

        return await next.ResultAsync<TResult>(_cluster, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The result that is ready first.</summary>
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

    /// <summary>Calls the actors with every value and yields the results in the values' order. Reads few values ahead; they may be endless.</summary>
    /// <typeparam name="T">The values' type.</typeparam>
    /// <typeparam name="TResult">The results' type.</typeparam>
    /// <param name="call">Makes the call.</param>
    /// <param name="values">The values.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The results; throws what a call threw.</returns>
    public IAsyncEnumerable<TResult> Map<T, TResult>(Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, IEnumerable<T> values, CancellationToken cancellationToken = default) =>
        RunAsync(call, values, isOrdered: true, cancellationToken);

    /// <summary>Calls the actors with every value and yields each result as soon as it is there.</summary>
    /// <inheritdoc cref="Map{T, TResult}"/>
    public IAsyncEnumerable<TResult> MapUnordered<T, TResult>(Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, IEnumerable<T> values, CancellationToken cancellationToken = default) =>
        RunAsync(call, values, isOrdered: false, cancellationToken);

    /// <summary>Adds an actor that is idle.</summary>
    /// <param name="actor">One that the pool does not have.</param>
    public void Push(ActorHandle<TActor> actor)
    {
        ArgumentNullException.ThrowIfNull(actor);
        lock (_sync)
            _idle.Enqueue(actor);
        StartWaiting();
    }

    /// <summary>Takes an idle actor out of the pool.</summary>
    /// <returns>The actor; null when all are busy.</returns>
    public ActorHandle<TActor>? PopIdle()
    {
        lock (_sync)
            return _idle.TryDequeue(out var actor) ? actor : null;
    }

    private static InvalidOperationException NoneLeft() => new("The pool has no more results: nothing was submitted that was not gotten already.");

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
