using Serve.Calls;
using Serve.Replica.Multiplexing;

namespace Serve.Replica.Tests.Multiplexing;

/// <summary>A model cache whose loads the test completes, by default immediately, with a record of loads and unloads.</summary>
internal sealed class RecordingModels : IModelCacheObserver
{
    private readonly Lock _gate = new();
    private readonly List<string> _events = [];
    private readonly Dictionary<string, TaskCompletionSource> _loads = [];
    private int _alive;

    public RecordingModels(int limit, TimeProvider? time = null) => Cache = new MultiplexedModelCache(LoadAsync, UnloadAsync, limit, time ?? TimeProvider.System, this);

    public MultiplexedModelCache Cache { get; }

    /// <summary>Loads that wait for <see cref="EndLoad"/>.</summary>
    public bool Holds { get; set; }

    public TaskCompletionSource? HoldUnloads { get; set; }

    public Exception? UnloadThrows { get; set; }

    public Func<string, Exception?> Fails { get; set; } = static _ => null;

    /// <summary>Whether cancellation ends loads.</summary>
    public bool HeedsCancellation { get; set; } = true;

    public int MostAlive { get; private set; }

    public int Changes { get; private set; }

    /// <summary>Whether a load or an unload ran with the context of a request.</summary>
    public bool SawRequest { get; private set; }

    public int Loads
    {
        get
        {
            lock (_gate)
                return _events.Count(what => what[0] == '+');
        }
    }

    /// <summary><c>+a</c>: load started, <c>-a</c>: unload, <c>!a</c>: load failed, <c>~a</c>: load abandoned.</summary>
    public string Events
    {
        get
        {
            lock (_gate)
                return string.Join(' ', _events);
        }
    }

    public static RequestContext Request(CancellationToken aborted = default) => new(CallContext.None, aborted);

    public async Task<CachedModelUse> Use(string id, RequestContext? request = null, CancellationToken stop = default) =>
        await Cache.UseAsync(id, request, stop).AsTask().WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None);

    public static string NameOf(CachedModelUse use) => (string)use.Model.Ready.Task.Result;

    /// <summary>A request that uses a model and ends.</summary>
    public async Task Touch(params string[] ids)
    {
        foreach (var id in ids)
        {
            var request = Request();
            await Use(id, request);
            request.End();
        }
    }

    public void EndLoad(string id, Exception? error = null)
    {
        TaskCompletionSource load;
        lock (_gate)
        {
            if (!_loads.Remove(id, out load!))
                throw new InvalidOperationException($"No load of {id} is going on: {Events}");
        }

        if (error is null)
            load.SetResult();
        else
            load.SetException(error);
    }

    public bool IsLoading(string id)
    {
        lock (_gate)
            return _loads.ContainsKey(id);
    }

    public void OnAsked()
    {
    }

    public void OnLoaded(string id, TimeSpan took)
    {
    }

    public void OnLoadFailed(string id, Exception error, bool abandoned) => Note((abandoned ? "~" : "!") + id);

    public void OnUnloaded(string id, TimeSpan took, Exception? error)
    {
        if (error is not null)
            Note("x" + id);
    }

    public void OnChanged() => Changes++;

    private async ValueTask<object> LoadAsync(string id, CancellationToken cancellationToken)
    {
        Task load = Task.CompletedTask;
        lock (_gate)
        {
            SawRequest |= RequestContext.Current is not null;
            _events.Add("+" + id);
            MostAlive = Math.Max(MostAlive, ++_alive);
            if (Holds)
                load = (_loads[id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        try
        {
            await (HeedsCancellation ? load.WaitAsync(cancellationToken) : load);
            return Fails(id) is { } error ? throw error : $"model {id}";
        }
        catch
        {
            lock (_gate)
            {
                _alive--;
                _loads.Remove(id);
            }

            throw;
        }
    }

    private async ValueTask UnloadAsync(object model)
    {
        SawRequest |= RequestContext.Current is not null;
        Note("-" + ((string)model)["model ".Length..]);
        if (HoldUnloads is { } hold)
            await hold.Task;
        lock (_gate)
            _alive--;
        if (UnloadThrows is { } error)
            throw error;
    }

    private void Note(string what)
    {
        lock (_gate)
            _events.Add(what);
    }
}
