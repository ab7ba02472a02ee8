namespace Serve.Specs;

/// <summary>What one replica reserves, as written: unset keys are null. <c>actor_options</c>, or Ray's <c>ray_actor_options</c>, in a file.</summary>
public sealed record ResourceOptions
{
    /// <inheritdoc cref="ResourceSpec.NumCpus"/>
    public double? NumCpus { get; init; }

    /// <inheritdoc cref="ResourceSpec.NumGpus"/>
    public double? NumGpus { get; init; }

    /// <inheritdoc cref="ResourceSpec.Memory"/>
    public long? Memory { get; init; }

    /// <inheritdoc cref="ResourceSpec.Resources"/>
    public IReadOnlyDictionary<string, double>? Resources { get; init; }
}
