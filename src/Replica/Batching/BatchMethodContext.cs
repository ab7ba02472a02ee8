using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>What all batched methods of one replica have in common.</summary>
/// <param name="Actor">The replica as an actor.</param>
/// <param name="Failures">Told of batches that throw.</param>
/// <param name="Time">The clock.</param>
/// <param name="SeesRequests">Whether the class can see the request it serves.</param>
internal sealed record BatchMethodContext(ActorActivationContext Actor, UserFailureLog Failures, TimeProvider Time, bool SeesRequests);
