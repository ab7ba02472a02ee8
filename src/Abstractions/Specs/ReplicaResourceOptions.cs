namespace Serve.Specs;

/// <summary>What one replica reserves, as written: unset keys are null. <c>actor_options</c>, or Ray's <c>ray_actor_options</c>, in a file.</summary>
public sealed record ReplicaResourceOptions
{
    /// <inheritdoc cref="ReplicaResourceSpec.NumCpus"/>
    public double? NumCpus { get; init; }

    /// <inheritdoc cref="ReplicaResourceSpec.NumGpus"/>
    public double? NumGpus { get; init; }

    /// <inheritdoc cref="ReplicaResourceSpec.Memory"/>
    public long? Memory { get; init; }

    /// <inheritdoc cref="ReplicaResourceSpec.Resources"/>
    public IReadOnlyDictionary<string, double>? Resources { get; init; }
}
