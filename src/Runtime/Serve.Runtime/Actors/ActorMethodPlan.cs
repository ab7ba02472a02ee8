using Serve.Runtime.Methods;
using Serve.Runtime.Turns;

namespace Serve.Runtime.Actors;

/// <summary>Cached information about one method of an actor.</summary>
/// <param name="Method">The method's name.</param>
/// <param name="Name">Display name: the class and the method.</param>
/// <param name="Turns">The scheduler of its concurrency group.</param>
/// <param name="Lanes">Calls of that group that wait for arguments.</param>
/// <param name="Group">The concurrency group; null for the default one.</param>
/// <param name="Traits">Traits of the method.</param>
public sealed record ActorMethodPlan(string Method, string Name, MailboxTurnScheduler Turns, CallerArgumentQueues Lanes, string? Group, ActorMethodTraits Traits)
{
    public bool IsBlocking => (Traits & ActorMethodTraits.Blocking) != 0;

    public bool IsAsync => (Traits & ActorMethodTraits.Async) != 0;

    public bool TakesToken => (Traits & ActorMethodTraits.TakesToken) != 0;
}
