using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Multiplexing;

/// <summary>Models of one <see cref="MultiplexedAttribute"/> method in one replica: cache, loader, metrics and log.</summary>
internal sealed partial class MultiplexedModelSet : IModelCacheObserver, IAsyncDisposable
{
    // Weight of the newest load in the moving average.
    private const double NewestWeight = 0.3;

    private readonly MultiplexedMethod _method;
    private readonly ReplicaModelMetrics _metrics;
    private readonly Action _onChanged;
    private readonly MultiplexedModelLoader _loader;
    private ILogger _logger = NullLogger.Instance;
    private double _loadMs;

    public MultiplexedModelSet(MultiplexedMethod method, ActorTurnScheduler turns, TimeProvider time, ReplicaModelMetrics metrics, Action onChanged)
    {
        _method = method;
        _metrics = metrics;
        _onChanged = onChanged;
        _loader = new MultiplexedModelLoader(method, turns);
        Cache = new MultiplexedModelCache(_loader.LoadAsync, _loader.UnloadAsync, method.MaxModels, time, this);
    }

    public MultiplexedMethod Method => _method;

    public MultiplexedModelCache Cache { get; }

    /// <summary>Moving average of load durations in milliseconds; 0 before the first load.</summary>
    public double LoadMs => Volatile.Read(ref _loadMs);

    /// <summary>Sets the object whose method loads models, and the log. Before that, no model can be loaded.</summary>
    public void Bind(object target, ILogger log)
    {
        Volatile.Write(ref _logger, log);
        _loader.Bind(target);
    }

    public void OnAsked() => _metrics.CountRequest();

    public void OnLoaded(string id, TimeSpan took)
    {
        // Concurrent updates may lose one sample, which does not matter.
        var before = Volatile.Read(ref _loadMs);
        Volatile.Write(ref _loadMs, before == 0 ? took.TotalMilliseconds : before + (NewestWeight * (took.TotalMilliseconds - before)));
        _metrics.ObserveLoad(id, took);
        Log.Loaded(_logger, id, took.TotalMilliseconds);
    }

    public void OnLoadFailed(string id, Exception error, bool abandoned)
    {
        if (abandoned)
            Log.Abandoned(_logger, id);
        else
            Log.NotLoaded(_logger, error, id);
    }

    public void OnUnloaded(string id, TimeSpan took, Exception? error)
    {
        _metrics.ObserveUnload(id, took);
        if (error is null)
            Log.Unloaded(_logger, id, took.TotalMilliseconds);
        else
            Log.NotUnloaded(_logger, error, id);
    }

    public void OnChanged() => _onChanged();

    public ValueTask DisposeAsync() => Cache.DisposeAsync();

    private static partial class Log
    {
        [LoggerMessage(EventId = 5050, Level = LogLevel.Information, Message = "Model {Model} loaded in {Milliseconds:0.0} ms")]
        public static partial void Loaded(ILogger logger, string model, double milliseconds);

        [LoggerMessage(EventId = 5051, Level = LogLevel.Information, Message = "Model {Model} unloaded in {Milliseconds:0.0} ms")]
        public static partial void Unloaded(ILogger logger, string model, double milliseconds);

        [LoggerMessage(EventId = 5052, Level = LogLevel.Information, Message = "Load of model {Model} abandoned: no request waits for it")]
        public static partial void Abandoned(ILogger logger, string model);

        [LoggerMessage(EventId = 5053, Level = LogLevel.Error, Message = "Loading model {Model} failed")]
        public static partial void NotLoaded(ILogger logger, Exception thrown, string model);

        [LoggerMessage(EventId = 5054, Level = LogLevel.Error, Message = "Disposing model {Model} failed; the model counts as unloaded")]
        public static partial void NotUnloaded(ILogger logger, Exception thrown, string model);
    }
}
