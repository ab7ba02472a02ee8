using Serve.Calls;
using Serve.Routes;

namespace Serve.Replica.Multiplexing;

/// <summary>
/// The models of one <see cref="MultiplexedAttribute"/> method in one replica: who uses which, which go when another needs their place (the one that
/// nobody has used for longest), who waits. The one writer of all that, under its lock; loads and unloads run outside it.
/// </summary>
internal sealed class ModelCache(
    Func<string, CancellationToken, ValueTask<object>> load, Func<object, ValueTask> unload, int limit, TimeProvider time, IModelObserver observer) : IAsyncDisposable
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, CachedModel> models = new(StringComparer.Ordinal);
    private readonly Dictionary<RequestContext, RequestModels> requests = [];

    // Loaded and used by nobody, the least recently used first; and those that wait for a place, in order.
    private readonly LinkedList<CachedModel> idle = new();
    private readonly LinkedList<CachedModel> pending = new();
    private readonly TaskCompletionSource empty = new(TaskCreationOptions.RunContinuationsAsynchronously);
    // Loaded, but somebody began anew meanwhile.
    private readonly Queue<CachedModel> superfluous = new();
    private int limit = limit;
    private int occupied;
    private int unloading;
    private bool closed;
    private bool changed;

    /// <summary>How many models may have a place; -1 is no limit.</summary>
    public int Limit
    {
        get => Volatile.Read(ref limit);
        set
        {
            FollowUp next;
            lock (gate)
            {
                limit = value;
                changed = true;
                next = Plan();
            }

            Follow(next);
        }
    }

    /// <summary>The models that can be used, the least recently used first.</summary>
    public IReadOnlyList<string> Loaded
    {
        get
        {
            lock (gate)
                return [.. idle.Concat(models.Values.Where(model => model is { State: ModelState.Loaded, Uses.Count: > 0 })).Select(model => model.Id)];
        }
    }

    /// <summary>What routers are to know.</summary>
    public IReadOnlyList<HeldModel> Held
    {
        get
        {
            lock (gate)
                return [.. models.Values.Select(model => new HeldModel(model.Id, model.State == ModelState.Loaded, IdleMs(model)))];
        }
    }

    /// <summary>Begins the use of a model, and waits until it is loaded.</summary>
    /// <param name="id">The model.</param>
    /// <param name="request">The request that the use ends with; null when the caller ends it by <see cref="End"/>.</param>
    /// <param name="cancellationToken">Gives it up.</param>
    /// <returns>The use; its model is ready.</returns>
    public ValueTask<ModelUse> UseAsync(string id, RequestContext? request, CancellationToken cancellationToken)
    {
        observer.OnAsked();
        ModelUse use;
        FollowUp next;
        lock (gate)
        {
            use = Begin(id, request);
            next = Plan();
        }

        Follow(next);
        return use.Model.Ready.Task.IsCompletedSuccessfully ? new(use) : WaitAsync(use, request, cancellationToken);
    }

    /// <summary>Ends a use. Idempotent.</summary>
    public void End(ModelUse use)
    {
        FollowUp next;
        lock (gate)
        {
            Leave(use);
            next = Plan();
        }

        Follow(next);
    }

    /// <summary>Unloads everything, in use or not, and takes nothing more.</summary>
    /// <returns>Completes when nothing has a place any more.</returns>
    public async ValueTask DisposeAsync()
    {
        List<CachedModel> loading = [];
        FollowUp next;
        lock (gate)
        {
            closed = true;
            foreach (var model in models.Values.ToList())
            {
                if (model.State == ModelState.Pending)
                    Drop(model, new ObjectDisposedException(nameof(ModelCache), "The replica has ended."));
                else if (model.State == ModelState.Loading)
                    loading.Add(model);
                else if (model.Node.List is null)
                    idle.AddLast(model.Node);
            }

            if (occupied == 0)
                empty.TrySetResult();
            next = Plan();
        }

        Follow(next);
        foreach (var model in loading)
            await model.Abandoned.CancelAsync().ConfigureAwait(false);
        await empty.Task.ConfigureAwait(false);
    }

    private async ValueTask<ModelUse> WaitAsync(ModelUse use, RequestContext? request, CancellationToken cancellationToken)
    {
        var aborted = request?.Aborted ?? CancellationToken.None;
        using var either = aborted.CanBeCanceled && cancellationToken.CanBeCanceled
            ? CancellationTokenSource.CreateLinkedTokenSource(aborted, cancellationToken)
            : null;
        try
        {
            var (ready, refused) = (use.Model.Ready.Task, use.Refused!.Task);
            await Task.WhenAny(ready, refused).WaitAsync(either?.Token ?? (aborted.CanBeCanceled ? aborted : cancellationToken)).ConfigureAwait(false);
            // Refused, it may have been the last that waited for the model, which then fails too, for want of anybody.
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
        FollowUp next;
        lock (gate)
        {
            Leave(context);
            next = Plan();
        }

        Follow(next);
    }

    private void Follow(FollowUp next)
    {
        if (next.Changed)
            observer.OnChanged();
        foreach (var model in next.Loads ?? [])
            _ = LoadAsync(model);
        foreach (var model in next.Unloads ?? [])
            _ = UnloadAsync(model);
    }

    // Everything below, down to Plan, runs under the lock.
    private ModelUse Begin(string id, RequestContext? context)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        var request = context is null ? null : RequestOf(context);
        if (request?.Uses.Find(use => use.Model.Id == id && use.Model.State == ModelState.Loaded) is { } had)
            return had;
        if (!models.TryGetValue(id, out var model))
        {
            models[id] = model = new CachedModel(id);
            changed = true;
            pending.AddLast(model.Node);
        }
        else if (model.Node.List == idle)
        {
            idle.Remove(model.Node);
        }

        var use = new ModelUse(model, request);
        model.Uses.AddLast(use.Node);
        request?.Uses.Add(use);
        return use;
    }

    private RequestModels RequestOf(RequestContext context)
    {
        if (requests.TryGetValue(context, out var known))
            return known;
        if (!context.TryOnEnded(() => OnEnded(context)))
            throw RequestOver();
        return requests[context] = new RequestModels();
    }

    private void Leave(RequestContext context)
    {
        if (!requests.Remove(context, out var request))
            return;
        foreach (var use in request.Uses.ToArray())
            Leave(use);
    }

    private void Leave(ModelUse use)
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
            case ModelState.Pending:
                Drop(model, new OperationCanceledException("Nobody waits for the model any more."));
                break;
            case ModelState.Loading:
                // It keeps its place until its load has really ended; who asks for it again begins a new one.
                Forget(model);
                _ = model.Abandoned.CancelAsync();
                break;
            case ModelState.Loaded when model.Node.List is null:
                idle.AddLast(model.Node);
                break;
        }
    }

    /// <summary>Tells requests that wait for each other, the last first, until the others can go on.</summary>
    private void EndCircles()
    {
        while (IsCircle() && pending.Reverse().SelectMany(static model => model.Uses.Reverse()).FirstOrDefault(static use => use.Request is { HasPlace: true }) is { } last)
        {
            last.Refused!.SetException(new InvalidOperationException(
                $"Model '{last.Model.Id}' cannot be loaded: all {limit} places for models are used by requests that themselves wait for another model. "
                + "Raise MaxModelsPerReplica, or use fewer models in one request (Acquire gives one back early)."));
            // It may be that nobody waits any more.
            _ = last.Refused.Task.Exception;
            Leave(last);
        }
    }

    /// <summary>Whether nothing that has a place will ever be given back: all is used by requests that wait for a place.</summary>
    private bool IsCircle()
    {
        if (pending.Count == 0)
            return false;
        // One that is being unloaded, or loaded for nobody any more, has a place and is not among them.
        var used = models.Values.Where(model => model.State != ModelState.Pending).ToList();
        return used.Count == occupied && used.TrueForAll(model =>
            model.State == ModelState.Loaded && model.Uses.All(use => use.Request is { WaitsForPlace: true }));
    }

    private void Drop(CachedModel model, Exception why)
    {
        pending.Remove(model.Node);
        model.State = ModelState.Gone;
        Forget(model);
        Fail(model, why);
    }

    private void Forget(CachedModel model)
    {
        if (models.GetValueOrDefault(model.Id) != model)
            return;
        models.Remove(model.Id);
        changed = true;
    }

    private long IdleMs(CachedModel model) => model.Uses.Count > 0 ? 0 : (long)time.GetElapsedTime(model.IdleSince).TotalMilliseconds;

    /// <summary>Gives free places to those that wait, and has as many idle ones go as are missing.</summary>
    private FollowUp Plan()
    {
        List<CachedModel>? loads = null;
        List<CachedModel>? unloads = null;
        var most = closed ? 0 : limit < 0 ? int.MaxValue : limit;
        while (occupied < most && pending.First is { Value: var first })
        {
            pending.RemoveFirst();
            occupied++;
            first.State = ModelState.Loading;
            (loads ??= []).Add(first);
        }

        while (superfluous.TryDequeue(out var again))
            Evict(again);
        for (var missing = (long)occupied - unloading + pending.Count - most; missing > 0 && idle.First is { Value: var victim }; missing--)
        {
            idle.RemoveFirst();
            Evict(victim);
        }

        EndCircles();
        var isChanged = changed;
        changed = false;
        return new FollowUp(isChanged, loads, unloads);

        void Evict(CachedModel model)
        {
            Forget(model);
            model.State = ModelState.Unloading;
            unloading++;
            (unloads ??= []).Add(model);
        }
    }

    private async Task LoadAsync(CachedModel model)
    {
        // Whoever asked first must not lend the load, which others wait for too, its request and its cancellation.
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
        FollowUp next;
        lock (gate)
        {
            changed = true;
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
        model.State = ModelState.Loaded;
        model.Ready.SetResult(loaded);

        if (model.Uses.Count > 0 && !closed)
            return;

        // Nobody waited for it to the end, but it is there: kept, unless somebody has begun anew.
        model.IdleSince = time.GetTimestamp();
        if (models.TryAdd(model.Id, model) || models[model.Id] == model)
            idle.AddLast(model.Node);
        else
            superfluous.Enqueue(model);
    }

    private void GiveUp(CachedModel model, Exception error)
    {
        model.State = ModelState.Gone;
        Forget(model);
        Vacate();
        Fail(model, error);
    }

    private static void Fail(CachedModel model, Exception error)
    {
        model.Ready.SetException(error);
        // It may be that nobody waits: then it has been told where it was seen.
        _ = model.Ready.Task.Exception;
    }

    private void Vacate()
    {
        if (--occupied == 0 && closed)
            empty.TrySetResult();
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
        FollowUp next;
        lock (gate)
        {
            model.State = ModelState.Gone;
            unloading--;
            Vacate();
            next = Plan();
        }

        Follow(next);
    }

    private static InvalidOperationException RequestOver() =>
        new("The request has ended, so its use of a model would never end. Use Acquire for work that goes on after a request.");

    /// <summary>What is to be done outside the lock.</summary>
    private readonly record struct FollowUp(bool Changed, List<CachedModel>? Loads, List<CachedModel>? Unloads);
}
