using Serve.Calls;
using Serve.Replica.Multiplexing;

namespace Serve.Replica.Tests.Multiplexing;

/// <summary>A cache over loads that the test ends, by default at once, and what became of them.</summary>
internal sealed class RecordingModels : IModelObserver
{
    private readonly Lock gate = new();
    private readonly List<string> events = [];
    private readonly Dictionary<string, TaskCompletionSource> loads = [];
    private int alive;

    public RecordingModels(int limit, TimeProvider? time = null) => Cache = new ModelCache(LoadAsync, UnloadAsync, limit, time ?? TimeProvider.System, this);

    public ModelCache Cache { get; }

    /// <summary>Loads that wait until they are ended by <see cref="EndLoad"/>.</summary>
    public bool Holds { get; set; }

    public TaskCompletionSource? HoldUnloads { get; set; }

    public Exception? UnloadThrows { get; set; }

    public Func<string, Exception?> Fails { get; set; } = static _ => null;

    /// <summary>Whether loads end by being cancelled.</summary>
    public bool HeedsCancellation { get; set; } = true;

    public int MostAlive { get; private set; }

    public int Changes { get; private set; }

    /// <summary>Whether a load or an unload saw somebody's request.</summary>
    public bool SawRequest { get; private set; }

    public int Loads
    {
        get
        {
            lock (gate)
                return events.Count(what => what[0] == '+');
        }
    }

    /// <summary><c>+a</c> a load began, <c>-a</c> an unload, <c>!a</c> a load failed, <c>~a</c> was given up.</summary>
    public string Events
    {
        get
        {
            lock (gate)
                return string.Join(' ', events);
        }
    }

    public static RequestContext Request(CancellationToken aborted = default) => new(CallContext.None, aborted);

    public async Task<ModelUse> Use(string id, RequestContext? request = null, CancellationToken stop = default) =>
        await Cache.UseAsync(id, request, stop).AsTask().WaitAsync(TimeSpan.FromSeconds(10), CancellationToken.None);

    public static string NameOf(ModelUse use) => (string)use.Model.Ready.Task.Result;

    /// <summary>One request that uses a model and ends.</summary>
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
        lock (gate)
        {
            if (!loads.Remove(id, out load!))
                throw new InvalidOperationException($"No load of {id} is going on: {Events}");
        }

        if (error is null)
            load.SetResult();
        else
            load.SetException(error);
    }

    public bool IsLoading(string id)
    {
        lock (gate)
            return loads.ContainsKey(id);
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
        lock (gate)
        {
            SawRequest |= RequestContext.Current is not null;
            events.Add("+" + id);
            MostAlive = Math.Max(MostAlive, ++alive);
            if (Holds)
                load = (loads[id] = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        try
        {
            await (HeedsCancellation ? load.WaitAsync(cancellationToken) : load);
            return Fails(id) is { } error ? throw error : $"model {id}";
        }
        catch
        {
            lock (gate)
            {
                alive--;
                loads.Remove(id);
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
        lock (gate)
            alive--;
        if (UnloadThrows is { } error)
            throw error;
    }

    private void Note(string what)
    {
        lock (gate)
            events.Add(what);
    }
}
