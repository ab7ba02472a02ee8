using Serve.Calls;
using Serve.Routes;

namespace Serve.Replica.Multiplexing;

/// <summary>
/// LRU cache for the models of one <see cref="MultiplexedAttribute"/> method in one replica: tracks uses, evicts the least recently used idle model when another needs its slot, and queues
/// requests for models. All state is written under one lock; loads and unloads run outside of it.
/// </summary>
internal sealed class MultiplexedModelCache(
    Func<string, CancellationToken, ValueTask<object>> load, Func<object, ValueTask> unload, int limit, TimeProvider time, IModelCacheObserver observer) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, CachedModel> _models = new(StringComparer.Ordinal);
    private readonly Dictionary<RequestContext, RequestModelUses> _requests = [];

    // Loaded models without uses, least recently used first; and models that wait for a slot, in order.
    private readonly LinkedList<CachedModel> _idle = new();
    private readonly LinkedList<CachedModel> _pending = new();
    private readonly TaskCompletionSource _empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Loaded after their load was abandoned, and requested again in the meantime.
    private readonly Queue<CachedModel> _superfluous = new();
    private int _limit = limit;
    private int _occupied;
    private int _unloading;
    private bool _closed;
    private bool _changed;

    /// <summary>Maximum number of models; -1 is no limit.</summary>
    public int Limit
    {
        get => Volatile.Read(ref _limit);
        set
        {
            CacheFollowUp next;
            lock (_gate)
            {
                _limit = value;
                _changed = true;
                next = Plan();
            }

            Follow(next);
        }
    }

    /// <summary>Ids of loaded models, least recently used first.</summary>
    public IReadOnlyList<string> Loaded
    {
        get
        {
            lock (_gate)
                return [.. _idle.Concat(_models.Values.Where(model => model is { State: CachedModelState.Loaded, Uses.Count: > 0 })).Select(model => model.Id)];
        }
    }

    /// <summary>Report of the held models for the routers.</summary>
    public IReadOnlyList<ReportedModel> Held
    {
        get
        {
            lock (_gate)
                return [.. _models.Values.Select(model => new ReportedModel(model.Id, model.State == CachedModelState.Loaded, IdleMs(model)))];
        }
    }

    /// <summary>Begins a use of a model, and waits until it is loaded.</summary>
    /// <param name="id">Id of the model.</param>
    /// <param name="request">Request whose end ends the use; null if the caller calls <see cref="End"/>.</param>
    /// <param name="cancellationToken">Cancels the wait and the use.</param>
    /// <returns>The use of the loaded model.</returns>
    public ValueTask<CachedModelUse> UseAsync(string id, RequestContext? request, CancellationToken cancellationToken)
    {
        observer.OnAsked();
        CachedModelUse use;
        CacheFollowUp next;
        lock (_gate)
        {
            use = Begin(id, request);
            next = Plan();
        }

        Follow(next);
        return use.Model.Ready.Task.IsCompletedSuccessfully ? new(use) : WaitAsync(use, request, cancellationToken);
    }

    /// <summary>Ends a use. Idempotent.</summary>
    public void End(CachedModelUse use)
    {
        CacheFollowUp next;
        lock (_gate)
        {
            Leave(use);
            next = Plan();
        }

        Follow(next);
    }

    /// <summary>Unloads all models, including those in use, and refuses new uses. Completes when all slots are free.</summary>
    public async ValueTask DisposeAsync()
    {
        List<CachedModel> loading = [];
        CacheFollowUp next;
        lock (_gate)
        {
            _closed = true;
            foreach (var model in _models.Values.ToList())
            {
                if (model.State == CachedModelState.Pending)
                    Drop(model, new ObjectDisposedException(nameof(MultiplexedModelCache), "The replica has stopped."));
                else if (model.State == CachedModelState.Loading)
                    loading.Add(model);
                else if (model.Node.List is null)
                    _idle.AddLast(model.Node);
            }

            if (_occupied == 0)
                _empty.TrySetResult();
            next = Plan();
        }

        Follow(next);
        foreach (var model in loading)
            await model.Abandoned.CancelAsync().ConfigureAwait(false);
        await _empty.Task.ConfigureAwait(false);
    }

    private async ValueTask<CachedModelUse> WaitAsync(CachedModelUse use, RequestContext? request, CancellationToken cancellationToken)
    {
        var aborted = request?.Aborted ?? CancellationToken.None;
        using var either = aborted.CanBeCanceled && cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(aborted, cancellationToken)
            : null;
        try
        {
            var (ready, refused) = (use.Model.Ready.Task, use.Refused!.Task);
            await Task.WhenAny(ready, refused).WaitAsync(either?.Token ?? (aborted.CanBeCanceled ? aborted : cancellationToken)).ConfigureAwait(false);
            // If the refused use was the last one of its model, the load is abandoned and Ready fails as well.
            await (refused.IsCompleted ? refused : ready).ConfigureAwait(false);
            return use.HasEnded ? throw RequestOver() : use;
        }
        catch
        {
            End(use);
            throw;
        }
    }

    private void OnEnded(RequestContext context)
    {
        CacheFollowUp next;
        lock (_gate)
        {
            Leave(context);
            next = Plan();
        }

        Follow(next);
    }

    private void Follow(CacheFollowUp next)
    {
        if (next.Changed)
            observer.OnChanged();
        foreach (var model in next.Loads ?? [])
            _ = LoadAsync(model);
        foreach (var model in next.Unloads ?? [])
            _ = UnloadAsync(model);
    }

    // All methods below, up to Plan, run under the lock.
    private CachedModelUse Begin(string id, RequestContext? context)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        var request = context is null ? null : RequestOf(context);
        if (request?.Uses.Find(use => use.Model.Id == id && use.Model.State == CachedModelState.Loaded) is { } had)
            return had;
        if (!_models.TryGetValue(id, out var model))
        {
            _models[id] = model = new CachedModel(id);
            _changed = true;
            _pending.AddLast(model.Node);
        }
        else if (model.Node.List == _idle)
        {
            _idle.Remove(model.Node);
        }

        var use = new CachedModelUse(model, request);
        model.Uses.AddLast(use.Node);
        request?.Uses.Add(use);
        return use;
    }

    private RequestModelUses RequestOf(RequestContext context)
    {
        if (_requests.TryGetValue(context, out var known))
            return known;
        if (!context.TryAddEndCallback(() => OnEnded(context)))
            throw RequestOver();
        return _requests[context] = new RequestModelUses();
    }

    private void Leave(RequestContext context)
    {
        if (!_requests.Remove(context, out var request))
            return;
        foreach (var use in request.Uses.ToArray())
            Leave(use);
    }

    private void Leave(CachedModelUse use)
    {
        var model = use.Model;
        if (use.HasEnded)
            return;
        model.Uses.Remove(use.Node);
        use.Request?.Uses.Remove(use);
        if (model.Uses.Count > 0)
            return;
        model.IdleSince = time.GetTimestamp();
        switch (model.State)
        {
            case CachedModelState.Pending:
                Drop(model, new OperationCanceledException("No request waits for the model any more."));
                break;
            case CachedModelState.Loading:
                // It occupies its slot until the load has ended; another request for the model starts a new load.
                Forget(model);
                _ = model.Abandoned.CancelAsync();
                break;
            case CachedModelState.Loaded when model.Node.List is null:
                _idle.AddLast(model.Node);
                break;
        }
    }

    /// <summary>Breaks deadlocks: fails the last of the requests that wait for each other's slots, until the others can proceed.</summary>
    private void EndCircles()
    {
        while (IsCircle() && _pending.Reverse().SelectMany(static model => model.Uses.Reverse()).FirstOrDefault(static use => use.Request is { HasPlace: true }) is { } last)
        {
            last.Refused!.SetException(new InvalidOperationException(
                $"Model '{last.Model.Id}' cannot be loaded: all {_limit} model slots are used by requests that wait for another model themselves. "
                + "Increase MaxModelsPerReplica, or use fewer models per request (a lease of Acquire can be disposed early)."));
            // Marks the exception as observed, in case the request no longer waits.
            _ = last.Refused.Task.Exception;
            Leave(last);
        }
    }

    /// <summary>Returns whether no slot will ever be released: all models are used by requests that wait for a slot.</summary>
    private bool IsCircle()
    {
        if (_pending.Count == 0)
            return false;
        // Models that are being unloaded, or whose load was abandoned, occupy a slot but are not in this list.
        var used = _models.Values.Where(model => model.State != CachedModelState.Pending).ToList();
        return used.Count == _occupied && used.TrueForAll(model =>
            model.State == CachedModelState.Loaded && model.Uses.All(use => use.Request is { WaitsForPlace: true }));
    }

    private void Drop(CachedModel model, Exception why)
    {
        _pending.Remove(model.Node);
        model.State = CachedModelState.Gone;
        Forget(model);
        Fail(model, why);
    }

    private void Forget(CachedModel model)
    {
        if (_models.GetValueOrDefault(model.Id) != model)
            return;
        _models.Remove(model.Id);
        _changed = true;
    }

    private long IdleMs(CachedModel model) => model.Uses.Count > 0 ? 0 : (long)time.GetElapsedTime(model.IdleSince).TotalMilliseconds;

    /// <summary>Assigns free slots to pending models, and evicts as many idle models as slots are missing.</summary>
    private CacheFollowUp Plan()
    {
        List<CachedModel>? loads = null;
        List<CachedModel>? unloads = null;
        var most = _closed ? 0 : _limit < 0 ? int.MaxValue : _limit;
        while (_occupied < most && _pending.First is { Value: var first })
        {
            _pending.RemoveFirst();
            _occupied++;
            first.State = CachedModelState.Loading;
            (loads ??= []).Add(first);
        }

        while (_superfluous.TryDequeue(out var again))
            Evict(again);
        for (var missing = (long)_occupied - _unloading + _pending.Count - most; missing > 0 && _idle.First is { Value: var victim }; missing--)
        {
            _idle.RemoveFirst();
            Evict(victim);
        }

        EndCircles();
        var isChanged = _changed;
        _changed = false;
        return new CacheFollowUp(isChanged, loads, unloads);

        void Evict(CachedModel model)
        {
            Forget(model);
            model.State = CachedModelState.Unloading;
            _unloading++;
            (unloads ??= []).Add(model);
        }
    }

    private async Task LoadAsync(CachedModel model)
    {
        // The load is shared: it must not run with the request context and cancellation of its first requester.
        RequestContext.Current = null;
        var started = time.GetTimestamp();
        object? loaded = null;
        Exception? error = null;
        try
        {
            loaded = await load(model.Id, model.Abandoned.Token).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        var took = time.GetElapsedTime(started);
        if (error is null)
            observer.OnLoaded(model.Id, took);
        else
            observer.OnLoadFailed(model.Id, error, abandoned: model.Abandoned.IsCancellationRequested);
        CacheFollowUp next;
        lock (_gate)
        {
            _changed = true;
            if (error is null)
                Keep(model, loaded!);
            else
                GiveUp(model, error);
            next = Plan();
        }

        Follow(next);
    }

    private void Keep(CachedModel model, object loaded)
    {
        model.State = CachedModelState.Loaded;
        model.Ready.SetResult(loaded);

        if (model.Uses.Count > 0 && !_closed)
            return;

        // Loaded although its load was abandoned: keep it, unless another load of the model has started.
        model.IdleSince = time.GetTimestamp();
        if (_models.TryAdd(model.Id, model) || _models[model.Id] == model)
            _idle.AddLast(model.Node);
        else
            _superfluous.Enqueue(model);
    }

    private void GiveUp(CachedModel model, Exception error)
    {
        model.State = CachedModelState.Gone;
        Forget(model);
        Vacate();
        Fail(model, error);
    }

    private static void Fail(CachedModel model, Exception error)
    {
        model.Ready.SetException(error);
        // Marks the exception as observed, in case no request waits.
        _ = model.Ready.Task.Exception;
    }

    private void Vacate()
    {
        if (--_occupied == 0 && _closed)
            _empty.TrySetResult();
    }

    private async Task UnloadAsync(CachedModel model)
    {
        RequestContext.Current = null;
        var started = time.GetTimestamp();
        Exception? error = null;
        try
        {
            await unload(await model.Ready.Task.ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        observer.OnUnloaded(model.Id, time.GetElapsedTime(started), error);
        CacheFollowUp next;
        lock (_gate)
        {
            model.State = CachedModelState.Gone;
            _unloading--;
            Vacate();
            next = Plan();
        }

        Follow(next);
    }

    private static InvalidOperationException RequestOver() =>
        new("The request has ended, and with it its uses of models. Use Acquire for work that continues after a request.");

    /// <summary>Work to do outside of the lock.</summary>
    private readonly record struct CacheFollowUp(bool Changed, List<CachedModel>? Loads, List<CachedModel>? Unloads);
}
