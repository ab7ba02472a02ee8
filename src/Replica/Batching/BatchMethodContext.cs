using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>Context that all batched methods of one replica share.</summary>
/// <param name="Actor">Actor context of the replica.</param>
/// <param name="Failures">Log of failed batches.</param>
/// <param name="Time">Clock.</param>
/// <param name="SeesRequests">Whether the class can access the request that it serves.</param>
internal sealed record BatchMethodContext(ActorActivationContext Actor, UserFailureLog Failures, TimeProvider Time, bool SeesRequests);
