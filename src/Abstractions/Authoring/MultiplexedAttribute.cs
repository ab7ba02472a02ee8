namespace Serve;

/// <summary>
/// Marks a method that loads one of many models, of which a replica caches a few: <c>Task&lt;TModel&gt; Load(string modelId, CancellationToken stop)</c>
/// (or <c>ValueTask&lt;TModel&gt;</c>, or <c>TModel</c>; the token is optional). User code does not call it, but takes an
/// <see cref="IMultiplexed{TModel}"/> in its constructor. When another model needs a slot, the least recently used idle model is disposed through
/// <see cref="IAsyncDisposable"/> or <see cref="IDisposable"/>. The method is not callable by name and not bound to HTTP.
/// A class can have several such methods if they load different types.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MultiplexedAttribute : Attribute
{
    /// <summary>Default number of cached models per replica, as in Ray Serve.</summary>
    public const int DefaultMaxModels = 3;

    /// <summary>
    /// Maximum number of models of this method per replica, including models that are being loaded or unloaded; -1 for no limit. Default 3.
    /// <c>user_config</c> can change it at run time: <c>multiplexed: {max_models_per_replica: 5}</c>.
    /// </summary>
    public int MaxModelsPerReplica { get; set; } = DefaultMaxModels;
}
