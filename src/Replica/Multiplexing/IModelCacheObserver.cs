namespace Serve.Replica.Multiplexing;

/// <summary>Told of what happens to the models of a cache. Called from many threads, outside the cache's lock; must not block or throw.</summary>
internal interface IModelCacheObserver
{
    /// <summary>Somebody asked for a model.</summary>
    void OnAsked();

    /// <summary>A load has succeeded.</summary>
    /// <param name="id">The model.</param>
    /// <param name="took">How long it took.</param>
    void OnLoaded(string id, TimeSpan took);

    /// <summary>A load has failed or been given up.</summary>
    /// <param name="id">The model.</param>
    /// <param name="error">Why.</param>
    /// <param name="abandoned">Whether nobody waited for it any more.</param>
    void OnLoadFailed(string id, Exception error, bool abandoned);

    /// <summary>A model has been disposed.</summary>
    /// <param name="id">The model.</param>
    /// <param name="took">How long it took.</param>
    /// <param name="error">What its disposal threw.</param>
    void OnUnloaded(string id, TimeSpan took, Exception? error);

    /// <summary>What the cache holds, or is about to, is another.</summary>
    void OnChanged();
}
