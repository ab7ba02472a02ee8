namespace Serve.Specs;

/// <summary>What changing a setting does to the replicas that already run.</summary>
public enum UpdateImpact
{
    /// <summary>Nothing: the controller and the routers alone use it.</summary>
    None,

    /// <summary>The running replica is told; nothing restarts.</summary>
    Reconfigure,

    /// <summary>Replicas are replaced, new ones first.</summary>
    Restart,
}
