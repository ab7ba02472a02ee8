using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Multiplexing;

/// <summary>The models of one <see cref="MultiplexedAttribute"/> method in one replica, with what loads them.</summary>
internal sealed partial class ModelSet : IModelObserver, IAsyncDisposable
{
    // How much the newest load counts in the time that loads take of late.
    private const double Newest = 0.3;

    private readonly MultiplexedMethod method;
    private readonly ModelMetrics metrics;
    private readonly Action onChanged;
    private readonly ModelLoader loader;
    private ILogger logger = NullLogger.Instance;
    private double loadMs;

    public ModelSet(MultiplexedMethod method, ActorTurns turns, TimeProvider time, ModelMetrics metrics, Action onChanged)
    {
        this.method = method;
        this.metrics = metrics;
        this.onChanged = onChanged;
        loader = new ModelLoader(method, turns);
        Cache = new ModelCache(loader.LoadAsync, loader.UnloadAsync, method.MaxModels, time, this);
    }

    public MultiplexedMethod Method => method;

    public ModelCache Cache { get; }

    /// <summary>How many milliseconds a load takes of late; 0 while none has been seen.</summary>
    public double LoadMs => Volatile.Read(ref loadMs);

    /// <summary>Says whose method it is, and where to log. Before that nothing can be loaded.</summary>
    public void Bind(object target, ILogger log)
    {
        Volatile.Write(ref logger, log);
        loader.Bind(target);
    }

    public void OnAsked() => metrics.CountRequest();

    public void OnLoaded(string id, TimeSpan took)
    {
        // Two at once may lose one's weight, which no one can tell.
        var before = Volatile.Read(ref loadMs);
        Volatile.Write(ref loadMs, before == 0 ? took.TotalMilliseconds : before + (Newest * (took.TotalMilliseconds - before)));
        metrics.ObserveLoad(id, took);
        LogLoaded(logger, id, took.TotalMilliseconds);
    }

    public void OnLoadFailed(string id, Exception error, bool abandoned)
    {
        if (abandoned)
            LogAbandoned(logger, id);
        else
            LogNotLoaded(logger, error, id);
    }

    public void OnUnloaded(string id, TimeSpan took, Exception? error)
    {
        metrics.ObserveUnload(id, took);
        if (error is null)
            LogUnloaded(logger, id, took.TotalMilliseconds);
        else
            LogNotUnloaded(logger, error, id);
    }

    public void OnChanged() => onChanged();

    public ValueTask DisposeAsync() => Cache.DisposeAsync();

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is loaded after {Milliseconds:0.0} ms")]
    private static partial void LogLoaded(ILogger logger, string model, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "Model {Model} is unloaded after {Milliseconds:0.0} ms")]
    private static partial void LogUnloaded(ILogger logger, string model, double milliseconds);

    [LoggerMessage(Level = LogLevel.Information, Message = "The load of model {Model} was given up, since nobody waits for it any more")]
    private static partial void LogAbandoned(ILogger logger, string model);

    [LoggerMessage(Level = LogLevel.Error, Message = "Model {Model} could not be loaded")]
    private static partial void LogNotLoaded(ILogger logger, Exception thrown, string model);

    [LoggerMessage(Level = LogLevel.Error, Message = "Disposing model {Model} threw; it counts as unloaded")]
    private static partial void LogNotUnloaded(ILogger logger, Exception thrown, string model);
}
