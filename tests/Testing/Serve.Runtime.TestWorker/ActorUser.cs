namespace Serve.Runtime.TestWorker;

/// <summary>Tasks that call actors.</summary>
public static partial class ActorUser
{
    [Remote]
    public static async Task<int> Increment(ActorHandle<CountActor> actor) => await actor.Increment.Remote(1);
}
