namespace Serve.Replica.Multiplexing;

/// <summary>Uses of models by one request. Written by <see cref="MultiplexedModelCache"/> under its lock.</summary>
internal sealed class RequestModelUses
{
    public List<CachedModelUse> Uses { get; } = [];

    /// <summary>Whether the request waits for a model without a slot, and therefore does not release its own slots.</summary>
    public bool WaitsForPlace => Uses.Exists(static use => use.Model.State == CachedModelState.Pending);

    /// <summary>Whether one of its models occupies a slot.</summary>
    public bool HasPlace => Uses.Exists(static use => use.Model.State != CachedModelState.Pending);
}
