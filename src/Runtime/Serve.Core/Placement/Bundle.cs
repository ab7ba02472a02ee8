using System.Collections.Immutable;

namespace Serve;

/// <summary>One bundle of a placement group: resources on one node.</summary>
public sealed record Bundle
{
    /// <summary>CPUs. Default 0.</summary>
    public double Cpus { get; init; }

    /// <summary>GPUs. Default 0.</summary>
    public double Gpus { get; init; }

    /// <summary>Bytes of memory. Default 0.</summary>
    public long Memory { get; init; }

    /// <summary>Custom resources by name. Default none.</summary>
    public ImmutableDictionary<string, double> Resources { get; init; } = ImmutableDictionary<string, double>.Empty;
}
