namespace Serve.Runtime.Parallel;

/// <summary>Starts the chunks of one map as tasks.</summary>
internal interface IMapChunkStarter<T, TResult>
{
    /// <summary>Number of chunks that can run concurrently.</summary>
    int Width { get; }

    ObjectRef<(TResult[] Results, long Ticks)> Start(T[] items, long offset);
}
