namespace Serve.Runtime.CoreActors;

/// <summary>What an actor holds for its life, and of which ledger.</summary>
internal sealed record ActorResourceHold(ResourceLedger Ledger, ResourceAllocation Allocation);
