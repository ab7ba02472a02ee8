namespace Serve.Replica.Multiplexing;

/// <summary>
/// Where a model is:
/// <code>
/// Pending   -> Loading     a place is free
/// Loading   -> Loaded      its load has succeeded
/// Loaded    -> Unloading   nobody uses it and its place is needed, or the replica ends
/// Pending, Loading, Unloading -> Gone
/// </code>
/// It has a place from Loading to Unloading.
/// </summary>
internal enum CachedModelState
{
    /// <summary>Waits for a place.</summary>
    Pending,

    /// <summary>Is being loaded.</summary>
    Loading,

    /// <summary>Can be used.</summary>
    Loaded,

    /// <summary>Is being disposed.</summary>
    Unloading,

    /// <summary>Not there: given up, failed or disposed.</summary>
    Gone,
}
