namespace Serve.Replica.Multiplexing;

/// <summary>Observes a model cache. Called from many threads, outside of the cache's lock; must not block or throw.</summary>
internal interface IModelCacheObserver
{
    /// <summary>Called when a model is requested.</summary>
    void OnAsked();

    /// <summary>Called when a load has succeeded.</summary>
    /// <param name="id">Id of the model.</param>
    /// <param name="took">Duration.</param>
    void OnLoaded(string id, TimeSpan took);

    /// <summary>Called when a load has failed or was abandoned.</summary>
    /// <param name="id">Id of the model.</param>
    /// <param name="error">The error.</param>
    /// <param name="abandoned">Whether the load was canceled because no request waited for it.</param>
    void OnLoadFailed(string id, Exception error, bool abandoned);

    /// <summary>Called when a model has been disposed.</summary>
    /// <param name="id">Id of the model.</param>
    /// <param name="took">Duration.</param>
    /// <param name="error">Exception of the disposal; null for none.</param>
    void OnUnloaded(string id, TimeSpan took, Exception? error);

    /// <summary>Called when the set of held models has changed.</summary>
    void OnChanged();
}
