namespace Serve;

/// <summary>Built-in policies that select the replica of a request: <c>request_router_config.policy</c>.</summary>
public enum RoutingPolicy
{
    /// <summary>The less loaded of two random replicas. The default.</summary>
    PowerOfTwo,

    /// <summary>The replica with the fewest ongoing requests; a random one of several.</summary>
    LeastOngoing,

    /// <summary>All replicas in turn.</summary>
    RoundRobin,

    /// <summary>
    /// Requests with the same key go to the same replica, unless it has more than 1.25 times the mean load. A replica that joins or leaves moves only its share of the keys.
    /// </summary>
    ConsistentHash,

    /// <summary>The replica that last received a request whose key has the longest common prefix, for caches of language models.</summary>
    PrefixAffinity,
}
