using System.Text.Json;
using System.Text.Json.Nodes;
using Serve.Calls;

namespace Serve.Routing;

/// <summary>
/// Routing policy of a deployment over a fixed set of replicas. When replicas come or go, a new picker is created from a new <see cref="ReplicaPickerContext"/>.
/// A class of the application is selected by <c>request_router_config: {request_router_class: MyPicker}</c>; it needs one public constructor, with a
/// <see cref="ReplicaPickerContext"/> as its only parameter. It runs in every process that sends requests to the deployment, including the node's own.
/// </summary>
public abstract class ReplicaPicker
{
    /// <summary>
    /// Picks the replica of a request. Called by many threads at once, and again if another request has taken the last capacity of the replica. It must not block.
    /// A picker that throws is replaced by <see cref="RoutingPolicy.PowerOfTwo"/> until the replicas change.
    /// </summary>
    /// <param name="request">The request.</param>
    /// <returns>
    /// An index of <see cref="ReplicaPickerContext.Replicas"/>. -1 queues the request until a replica is available; so does the index of a replica that is not available.
    /// </returns>
    public abstract int Pick(in RoutingRequest request);
}

/// <summary>Input of a <see cref="ReplicaPicker"/>.</summary>
/// <param name="Replicas">The replicas that may receive requests; their state changes while the picker is in use.</param>
/// <param name="Kwargs"><c>request_router_kwargs</c>; empty if there are none.</param>
/// <param name="Previous">The picker of the previous set of replicas, from which a policy may adopt state; null for the first one.</param>
public sealed record ReplicaPickerContext(IReadOnlyList<RoutableReplica> Replicas, JsonObject Kwargs, ReplicaPicker? Previous);

/// <summary>A replica, as the routers of one process see it. Thread-safe.</summary>
public abstract class RoutableReplica
{
    /// <summary>Gets the replica's id.</summary>
    public abstract string ReplicaId { get; }

    /// <summary>Gets the name of the replica's node.</summary>
    public abstract string NodeName { get; }

    /// <summary>Gets the number of requests that this process has sent to the replica and that have not ended.</summary>
    public abstract int Ongoing { get; }

    /// <summary>Gets whether the replica accepts another request: it has fewer than <c>max_ongoing_requests</c>, and has not refused one just now.</summary>
    public abstract bool IsAvailable { get; }

    /// <summary>Gets the last value that the replica's <c>ReportRoutingStats</c> has returned; null if there is none.</summary>
    public abstract JsonElement? Stats { get; }
}

/// <summary>Properties of a request that determine its replica.</summary>
public readonly record struct RoutingRequest
{
    /// <summary>Gets the value of the deployment's key expression, or the handle's <c>routingKey</c>; null if the request has none.</summary>
    public string? Key { get; init; }

    /// <summary>Gets the multiplexed model that the request names; null for none.</summary>
    public string? MultiplexedModelId { get; init; }

    /// <summary>Gets the deadline and priority.</summary>
    public CallUrgency Urgency { get; init; }
}
