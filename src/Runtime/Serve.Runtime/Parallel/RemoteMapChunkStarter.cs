
namespace Serve.Runtime.Parallel;

/// <summary>Starts the chunks of a [Remote] function, each as a task with the function's own resources, retries and isolation.</summary>
internal sealed class RemoteMapChunkStarter<TFunction, T, TResult>(Cluster cluster, IRemoteFunction<T, TResult> function, MapOptions options) : IMapChunkStarter<T, TResult>
    where TFunction : IRemoteFunction<T, TResult>, new()
{
    private readonly RemoteFunction _chunk = new(
        typeof(MapChunkRunner<TFunction, T, TResult>), nameof(MapChunkRunner<,,>.Run), function.Function.IsAsync, function.Function.Defaults);

    private readonly TaskOptions _taskOptions = (function.TaskOptions ?? new()) with { Name = $"{function.Function.Name} ({options.Name})" };

    public int Width
    {
        get
        {
            var each = _taskOptions.NumCpus ?? (function.Function.Defaults.NumCpus < 0 ? 1 : function.Function.Defaults.NumCpus);
            var cpus = cluster is ILocalTaskHost host ? host.LocalCpus : Environment.ProcessorCount;
            var fitting = (int)Math.Clamp(each > 0 ? cpus / each : cpus, 1, 1024);
            return Math.Min(options.MaxConcurrency ?? fitting, fitting);
        }
    }

    public ObjectRef<(TResult[] Results, long Ticks)> Start(T[] items, long offset) =>
        cluster.Submit(_chunk, new MapChunkCall<TFunction, T, TResult>(items, offset), _taskOptions);
}
