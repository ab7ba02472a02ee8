namespace Serve;

/// <summary>
/// Says that a method loads one of many models, of which a replica keeps a few: <c>Task&lt;TModel&gt; Load(string modelId, CancellationToken stop)</c>
/// (or <c>ValueTask&lt;TModel&gt;</c>, or <c>TModel</c>; the token may be left out). User code never calls it: it takes an
/// <see cref="IMultiplexed{TModel}"/> in its constructor and asks that for models. A model that is not used any more is unloaded by its
/// <see cref="IAsyncDisposable"/> or <see cref="IDisposable"/> when another needs its place, the least recently used first. Not callable by name, not bound to HTTP.
/// A class may have several such methods when what they load is of different types.
/// </summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class MultiplexedAttribute : Attribute
{
    /// <summary>How many models a replica keeps when nothing is said; Ray Serve's own default.</summary>
    public const int DefaultMaxModels = 3;

    /// <summary>
    /// How many models of this method one replica keeps at most, those that are being loaded or unloaded included; -1 is no limit. Default 3.
    /// <c>user_config</c> can change it while the replica runs: <c>multiplexed: {max_models_per_replica: 5}</c>.
    /// </summary>
    public int MaxModelsPerReplica { get; set; } = DefaultMaxModels;
}
