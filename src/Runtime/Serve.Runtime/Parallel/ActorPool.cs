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
    private readonly Lock sync = new();
    private readonly Cluster cluster;
    private readonly Queue<ActorHandle<TActor>> idle = new();
    private readonly Queue<PoolCall<TActor>> waiting = new();
    private readonly LinkedList<PoolCall<TActor>> results = new();
    private readonly List<Signal> listeners = [];
    private int busy;
    private Exception? lastDeath;

    /// <summary>Makes a pool of actors that are idle.</summary>
    /// <param name="actors">At least one.</param>
    public ActorPool(params IEnumerable<ActorHandle<TActor>> actors)
    {
        foreach (var actor in actors)
            idle.Enqueue(actor);
        cluster = idle.TryPeek(out var first) ? first.Cluster : throw new ArgumentException("A pool needs an actor.", nameof(actors));
    }

    /// <summary>Whether results of <see cref="Submit{T, TResult}"/> are still to be had, ready or not.</summary>
    public bool HasNext
    {
        get
        {
            lock (sync)
                return results.Count > 0;
        }
    }

    /// <summary>Whether a call would start at once.</summary>
    public bool HasFree
    {
        get
        {
            lock (sync)
                return idle.Count > 0;
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
        var made = new PoolCall<TActor>(cluster, actor => call(actor, value), Finished);
        lock (sync)
            results.AddLast(made);
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
        PoolCall<TActor> next;
        lock (sync)
        {
            next = results.First?.Value ?? throw NoneLeft();
            results.RemoveFirst();
        }

        try
        {
            await cluster.Get(next.Ended, timeout, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception end) when (end is TimeoutException or OperationCanceledException)
        {
            // Nobody has had it: whoever asks next gets it.
            lock (sync)
                results.AddFirst(next);
            throw;
        }

        return await next.ResultAsync<TResult>(cluster, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The result that is ready first.</summary>
    /// <inheritdoc cref="GetNext{TResult}"/>
    public async Task<TResult> GetNextUnordered<TResult>(TimeSpan? timeout = null, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            Signal some;
            lock (sync)
            {
                if (results.Count == 0)
                    throw NoneLeft();
                if (results.FirstOrDefault(call => call.Ended.IsReady) is { } ready)
                {
                    results.Remove(ready);
                    some = ready.Ended;
                }
                else
                {
                    listeners.Add(some = new Signal(cluster));
                }
            }

            if (some is PoolCall<TActor>.End end)
                return await end.Call.ResultAsync<TResult>(cluster, cancellationToken).ConfigureAwait(false);
            await cluster.Get(some, timeout, cancellationToken).ConfigureAwait(false);
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
        lock (sync)
            idle.Enqueue(actor);
        StartWaiting();
    }

    /// <summary>Takes an idle actor out of the pool.</summary>
    /// <returns>The actor; null when all are busy.</returns>
    public ActorHandle<TActor>? PopIdle()
    {
        lock (sync)
            return idle.TryDequeue(out var actor) ? actor : null;
    }

    private static InvalidOperationException NoneLeft() => new("The pool has no more results: nothing was submitted that was not gotten already.");

    private async IAsyncEnumerable<TResult> RunAsync<T, TResult>(
        Func<ActorHandle<TActor>, T, ObjectRef<TResult>> call, IEnumerable<T> values, bool isOrdered, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(call);
        ArgumentNullException.ThrowIfNull(values);
        using var source = values.GetEnumerator();
        var underWay = new List<PoolCall<TActor>>();
        var isEnded = false;
        while (true)
        {
            while (!isEnded && underWay.Count < Room() && (isEnded = !source.MoveNext()) is false)
            {
                var value = source.Current;
                var made = new PoolCall<TActor>(cluster, actor => call(actor, value), Finished);
                underWay.Add(made);
                Enqueue(made);
            }

            if (underWay.Count == 0)
                yield break;
            IEnumerable<ObjectRef<object?>> awaited = isOrdered ? [underWay[0].Ended] : underWay.Select(one => one.Ended);
            await cluster.Wait(awaited, 1, null, cancellationToken).ConfigureAwait(false);
            var next = underWay.First(one => one.Ended.IsReady);
            underWay.Remove(next);
            yield return await next.ResultAsync<TResult>(cluster, cancellationToken).ConfigureAwait(false);
        }
    }

    private int Room()
    {
        lock (sync)
            return Math.Max(1, 2 * (idle.Count + busy));
    }

    private void Enqueue(PoolCall<TActor> call)
    {
        lock (sync)
            waiting.Enqueue(call);
        StartWaiting();
    }

    private void StartWaiting()
    {
        while (true)
        {
            PoolCall<TActor>? call;
            ActorHandle<TActor>? actor;
            Exception? nobody;
            lock (sync)
            {
                nobody = idle.Count == 0 && busy == 0 ? lastDeath : null;
                if (waiting.Count == 0 || (idle.Count == 0 && nobody is null))
                    return;
                call = waiting.Dequeue();
                if (idle.TryDequeue(out actor))
                    busy++;
            }

            if (actor is null)
                call.Fail(nobody!);
            else
                call.Start(actor);
        }
    }

    private void Finished(PoolCall<TActor> call, ActorHandle<TActor>? actor, Exception? failure)
    {
        Signal[] told;
        lock (sync)
        {
            if (actor is not null)
            {
                busy--;
                if (failure is ActorDiedException)
                    lastDeath = failure;
                else
                    idle.Enqueue(actor);
            }
        }

        call.Ended.Set();
        lock (sync)
        {
            told = [.. listeners];
            listeners.Clear();
        }

        foreach (var listener in told)
            listener.Set();
        StartWaiting();
    }
}
