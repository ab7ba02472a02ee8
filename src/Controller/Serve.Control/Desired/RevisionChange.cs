namespace Serve.Control;

/// <summary>What made a revision succeed the one before.</summary>
public enum RevisionChange
{
    /// <summary>It was deployed.</summary>
    Deploy,

    /// <summary>More replicas of a deployment were asked for.</summary>
    ScaleUp,

    /// <summary>Fewer replicas of a deployment were asked for.</summary>
    ScaleDown,
}
