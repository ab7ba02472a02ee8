namespace Serve.Replica.Multiplexing;

/// <summary>
/// State of a model:
/// <code>
/// Pending   -> Loading     a slot is free
/// Loading   -> Loaded      the load has succeeded
/// Loaded    -> Unloading   idle and its slot is needed, or the replica stops
/// Pending, Loading, Unloading -> Gone
/// </code>
/// A model occupies a slot from Loading to Unloading.
/// </summary>
internal enum CachedModelState
{
    /// <summary>Waiting for a slot.</summary>
    Pending,

    /// <summary>Being loaded.</summary>
    Loading,

    /// <summary>Usable.</summary>
    Loaded,

    /// <summary>Being disposed.</summary>
    Unloading,

    /// <summary>Abandoned, failed or disposed.</summary>
    Gone,
}
