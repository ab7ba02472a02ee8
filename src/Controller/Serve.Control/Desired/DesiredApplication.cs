using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Serve.Control.Canaries;
using Serve.Routes;

namespace Serve.Control.Desired;

/// <summary>Desired state of one application: the requested revision, the last good one, and the replica targets. Stored in the checkpoint.</summary>
public sealed record DesiredApplication
{
    /// <summary>The application's name.</summary>
    public required string Name { get; init; }

    /// <summary>The revision that was deployed last.</summary>
    public required ApplicationRevision Requested { get; init; }

    /// <summary>Replica targets of <see cref="Requested"/> that replace <c>num_replicas</c>, by deployment.</summary>
    public ImmutableSortedDictionary<string, ReplicaTarget> Targets { get; init; } = ReplicaTarget.None;

    /// <summary>The newest revision whose deployments were all running, used for rollbacks; null before the first was.</summary>
    public ApplicationRevision? LastGood { get; init; }

    /// <summary>Replica targets of <see cref="LastGood"/> that replace <c>num_replicas</c>, by deployment.</summary>
    public ImmutableSortedDictionary<string, ReplicaTarget> LastGoodTargets { get; init; } = ReplicaTarget.None;

    /// <summary>Grows with every change: a new revision or new targets.</summary>
    public long Generation { get; init; }

    /// <summary>The kind of the newest change.</summary>
    public DesiredChange Change { get; init; }

    /// <summary>Percent of the replicas of all deployments that run; null for all.</summary>
    public double? TargetCapacity { get; init; }

    /// <summary>Whether the application is being drained and removed.</summary>
    public bool IsDeleting { get; init; }

    /// <summary>When <see cref="Requested"/> was deployed.</summary>
    public DateTimeOffset DeployedAt { get; init; }

    /// <summary>Whether the last good revision is the requested one, with the same targets.</summary>
    [JsonIgnore]
    public bool IsPromoted => LastGood?.Number == Requested.Number && LastGoodTargets.SequenceEqual(Targets);

    /// <summary>Returns the replica target of a deployment of <see cref="Requested"/>.</summary>
    public ReplicaTarget TargetOf(DeploymentRevision deployment) =>
        Targets.TryGetValue(deployment.Spec.Name, out var target) ? target : new(deployment.Spec.NumReplicas);

    /// <summary>Returns the replica target of a deployment of <see cref="LastGood"/>.</summary>
    public ReplicaTarget LastGoodTargetOf(DeploymentRevision deployment) =>
        LastGoodTargets.TryGetValue(deployment.Spec.Name, out var target) ? target : new(deployment.Spec.NumReplicas);

    /// <summary>Number of earlier revisions that are kept.</summary>
    public const int MaxHistory = 10;

    /// <summary>The revisions before <see cref="Requested"/>, oldest first.</summary>
    public ImmutableArray<PastRevision> History { get; init; } = [];

    /// <summary>All revisions that are kept: their packages may be needed again.</summary>
    [JsonIgnore]
    public IEnumerable<ApplicationRevision> Revisions =>
        History.Select(past => past.Revision).Append(Requested).Concat(LastGood is null ? [] : [LastGood]);

    /// <summary>Canary of the application <see cref="CanaryName.ApplicationOf"/> the name; null unless this is one.</summary>
    public CanaryState? Canary { get; init; }

    /// <summary>Returns this state with another requested revision.</summary>
    public DesiredApplication WithRevision(ApplicationRevision revision, DateTimeOffset now) => this with
    {
        Requested = revision,
        History = HistoryWith(new(Requested, DeployedAt)),
        Targets = TargetsFor(revision),
        Generation = Generation + 1,
        Change = DesiredChange.Deploy,
        DeployedAt = now,
    };

    /// <summary>Returns the revisions before <see cref="Requested"/>, and another one.</summary>
    public ImmutableArray<PastRevision> HistoryWith(PastRevision added) =>
        [.. History.Where(past => past.Revision.Number != added.Revision.Number).Append(added).OrderBy(past => past.Revision.Number).TakeLast(MaxHistory)];

    /// <summary>Returns the revision to roll back to: the given one, or else the last good one if it is not the requested one, or else the one before.</summary>
    /// <exception cref="DefinitionException">There is no such revision.</exception>
    public ApplicationRevision RollbackTarget(long? number)
    {
        if (History.IsEmpty)
            throw new DefinitionException($"Application '{Name}' has no earlier revision.");
        if (number is null)
        {
            return LastGood is not null && LastGood.Number != Requested.Number ? LastGood
                : History.LastOrDefault(past => past.CanaryEnd is null)?.Revision ?? throw new DefinitionException($"Application '{Name}' has no earlier revision.");
        }

        return History.Select(past => past.Revision).FirstOrDefault(revision => revision.Number == number)
            ?? throw new DefinitionException(number == Requested.Number
                ? $"Revision {number} of application '{Name}' is the current one."
                : $"Application '{Name}' has no revision {number}. Kept revisions: {string.Join(", ", History.Select(past => past.Revision.Number))}.");
    }

    /// <summary>Returns whether the number of replicas of a deployment of <see cref="Requested"/> follows its load.</summary>
    public bool IsAutoscaled(DeploymentRevision deployment) => deployment.Spec.Autoscaling is not null && TargetOf(deployment).Unloaded is null;

    /// <summary>Returns the part of a number of replicas that runs at <see cref="TargetCapacity"/>: rounded, at least 1, except at 0 percent.</summary>
    public int CapacityOf(int replicas) => TargetCapacity switch
    {
        null or 100 => replicas,
        0 => 0,
        { } percent => replicas == 0 ? 0 : Math.Max(1, (int)Math.Round(replicas * percent / 100, MidpointRounding.AwayFromZero)),
    };

    /// <summary>Returns this state with the autoscaler's target for a deployment, in both revisions. Not a change that an operator waits for.</summary>
    public DesiredApplication WithAutoscaledTarget(string deployment, int replicas) => TargetOf(Requested.Deployments[deployment]).Replicas == replicas ? this : this with
    {
        Targets = Targets.SetItem(deployment, new(replicas)),
        LastGoodTargets = LastGood?.Find(deployment) is null ? LastGoodTargets : LastGoodTargets.SetItem(deployment, new(replicas)),
    };

    /// <summary>Returns this state with another replica target for a deployment, in both revisions: a rollback must run as many replicas as were requested.</summary>
    public DesiredApplication WithTarget(string deployment, ReplicaTarget target)
    {
        var before = TargetOf(Requested.Deployments[deployment]);
        if (before == target)
            return this;
        return this with
        {
            Targets = Targets.SetItem(deployment, target),
            LastGoodTargets = LastGood?.Find(deployment) is null ? LastGoodTargets : LastGoodTargets.SetItem(deployment, target),
            Generation = Generation + 1,
            Change = target.Replicas >= before.Replicas ? DesiredChange.ScaleUp : DesiredChange.ScaleDown,
        };
    }

    /// <summary>Returns this state once every deployment of <see cref="Requested"/> runs.</summary>
    public DesiredApplication Promoted() => this with { LastGood = Requested, LastGoodTargets = Targets };

    /// <summary>
    /// Returns the targets that still apply when <paramref name="next"/> replaces <see cref="Requested"/>: those of deployments whose <c>num_replicas</c> did not
    /// change, so that redeploying the same settings does not undo a scale; of deployments that follow their load, which continue from the current target; and all with an external scaler.
    /// </summary>
    public ImmutableSortedDictionary<string, ReplicaTarget> TargetsFor(ApplicationRevision next)
    {
        var targets = ReplicaTarget.None;
        foreach (var (name, deployment) in next.Deployments)
        {
            if (Requested.Find(name) is not { } before)
                continue;
            var isKept = deployment.Spec.Autoscaling is { } autoscaling
                ? before.Spec.Autoscaling is not null || autoscaling.InitialReplicas is null
                : Targets.ContainsKey(name) && (next.Config.ExternalScalerEnabled is true
                    || (before.Spec.Autoscaling is null && deployment.Spec.NumReplicas == before.Spec.NumReplicas));
            if (isKept)
                targets = targets.SetItem(name, TargetOf(before));
        }

        return targets;
    }
}

/// <summary>A revision that was replaced.</summary>
/// <param name="Revision">The revision.</param>
/// <param name="DeployedAt">When it was deployed.</param>
public sealed record PastRevision(ApplicationRevision Revision, DateTimeOffset DeployedAt)
{
    /// <summary>Why it was ended, if it was only ever a canary; null otherwise.</summary>
    public string? CanaryEnd { get; init; }
}

/// <summary>Number of replicas that a deployment is to have now.</summary>
/// <param name="Replicas">The number.</param>
/// <param name="Unloaded">The number of replicas to restore when the model is loaded again; null if it was not unloaded.</param>
public readonly record struct ReplicaTarget(int Replicas, int? Unloaded = null)
{
    /// <summary>Returns the target of an unloaded model.</summary>
    public ReplicaTarget Unload() => Replicas == 0 ? this : new(0, Replicas);

    /// <summary>Returns the target of a loaded model.</summary>
    public ReplicaTarget Load() => Replicas == 0 ? new(Unloaded ?? 1) : this;

    /// <summary>No targets.</summary>
    public static ImmutableSortedDictionary<string, ReplicaTarget> None { get; } = ImmutableSortedDictionary.Create<string, ReplicaTarget>(StringComparer.Ordinal);
}

/// <summary>Kind of the newest change of an application.</summary>
public enum DesiredChange
{
    /// <summary>A revision was deployed.</summary>
    Deploy,

    /// <summary>The target of a deployment was raised.</summary>
    ScaleUp,

    /// <summary>The target of a deployment was lowered.</summary>
    ScaleDown,
}
