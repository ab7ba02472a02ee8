namespace Serve.Replica.Multiplexing;

/// <summary>The models that one request uses. Written by <see cref="MultiplexedModelCache"/> under its lock.</summary>
internal sealed class RequestModelUses
{
    public List<CachedModelUse> Uses { get; } = [];

    /// <summary>Whether it waits for a model that has no place yet: until it has one, the request gives none of its own back.</summary>
    public bool WaitsForPlace => Uses.Exists(static use => use.Model.State == CachedModelState.Pending);

    /// <summary>Whether one of its models has a place.</summary>
    public bool HasPlace => Uses.Exists(static use => use.Model.State != CachedModelState.Pending);
}
