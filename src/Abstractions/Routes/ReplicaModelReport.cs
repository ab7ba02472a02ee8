using System.Collections.Immutable;

namespace Serve.Routes;

/// <summary>
/// What a replica with <see cref="MultiplexedAttribute"/> says of its models, so that requests are sent where their model is. Replicas say it when it
/// changes; all of them together are published by <see cref="Serve.ReplicaId"/> as a JSON object under <see cref="Topic"/>.
/// </summary>
public sealed record ReplicaModelReport
{
    /// <summary>The topic under which all reports of a node reach its processes.</summary>
    public const string Topic = "models";

    /// <summary>Grows with every report of the replica: reports are published together, so one may come again when another replica's is new.</summary>
    public long Sequence { get; init; }

    /// <summary>How many models the replica may keep; -1 is no limit.</summary>
    public required int MaxModels { get; init; }

    /// <summary>How many milliseconds a load takes of late; 0 while none has been seen.</summary>
    public double LoadMs { get; init; }

    /// <summary>The models it has, and those it is about to have.</summary>
    public ImmutableArray<ReportedModel> Models { get; init; } = [];
}
