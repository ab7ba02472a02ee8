using Serve.Runtime.Methods;
using Serve.Runtime.Turns;

namespace Serve.Runtime.CoreActors;

/// <summary>Where calls of one method go.</summary>
/// <param name="Method">Its name.</param>
/// <param name="Name">The class and the method, for people.</param>
/// <param name="Turns">The turns of its concurrency group.</param>
/// <param name="Lanes">Who of that group waits for arguments.</param>
/// <param name="Group">The group; null for the actor's own.</param>
/// <param name="Traits">What must be known before it is called.</param>
internal sealed record ActorMethodPlan(string Method, string Name, MailboxTurnScheduler Turns, CallerArgumentQueues Lanes, string? Group, ActorMethodTraits Traits)
{
    public bool IsBlocking => (Traits & ActorMethodTraits.Blocking) != 0;

    public bool IsAsync => (Traits & ActorMethodTraits.Async) != 0;

    public bool TakesToken => (Traits & ActorMethodTraits.TakesToken) != 0;
}
