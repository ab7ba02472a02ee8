using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Multiplexing;

/// <summary>The models of one <see cref="MultiplexedAttribute"/> method in one replica, with what loads them.</summary>
internal sealed partial class MultiplexedModelSet : IModelCacheObserver, IAsyncDisposable
{
    // How much the newest load counts in the time that loads take of late.
    private const double Newest = 0.3;

    private readonly MultiplexedMethod _method;
    private readonly ReplicaModelMetrics _metrics;
    private readonly Action _onChanged;
    private readonly MultiplexedModelLoader _loader;
    private ILogger _logger = NullLogger.Instance;
    private double _loadMs;

    public MultiplexedModelSet(MultiplexedMethod method, ActorTurnScheduler turns, TimeProvider time, ReplicaModelMetrics metrics, Action onChanged)
    {
        this._method = method;
        this._metrics = metrics;
        this._onChanged = onChanged;
        _loader = new MultiplexedModelLoader(method, turns);
        Cache = new MultiplexedModelCache(_loader.LoadAsync, _loader.UnloadAsync, method.MaxModels, time, this);
    }

    public MultiplexedMethod Method => _method;

    public MultiplexedModelCache Cache { get; }

    /// <summary>How many milliseconds a load takes of late; 0 while none has been seen.</summary>
    public double LoadMs => Volatile.Read(ref _loadMs);

    /// <summary>Says whose method it is, and where to log. Before that nothing can be loaded.</summary>
    public void Bind(object target, ILogger log)
    {
        Volatile.Write(ref _logger, log);
        _loader.Bind(target);
    }

    public void OnAsked() => _metrics.CountRequest();

    public void OnLoaded(string id, TimeSpan took)
    {
        // Two at once may lose one's weight, which no one can tell.
        var before = Volatile.Read(ref _loadMs);
        Volatile.Write(ref _loadMs, before == 0 ? took.TotalMilliseconds : before + (Newest * (took.TotalMilliseconds - before)));
        _metrics.ObserveLoad(id, took);
        LogLoaded(_logger, id, took.TotalMilliseconds);
    }

    public void OnLoadFailed(string id, Exception error, bool abandoned)
    {
        if (abandoned)
            LogAbandoned(_logger, id);
        else
            LogNotLoaded(_logger, error, id);
    }

    public void OnUnloaded(string id, TimeSpan took, Exception? error)
    {
        _metrics.ObserveUnload(id, took);
        if (error is null)
            LogUnloaded(_logger, id, took.TotalMilliseconds);
        else
            LogNotUnloaded(_logger, error, id);
    }

    public void OnChanged() => _onChanged();

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
