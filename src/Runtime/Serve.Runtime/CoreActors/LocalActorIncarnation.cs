using Serve.Runtime.Nodes;

namespace Serve.Runtime.CoreActors;

/// <summary>A life in this process. Killed, it is given up after a moment and disposed all the same: its code cannot be ended otherwise.</summary>
internal sealed class LocalActorIncarnation(ProcessActorHost home, HostedActor actor) : ActorIncarnation
{
    public ActorCallInvoker Invoker { get; } = actor.Invoker;

    public override ConcurrencyLimiter? Gate => actor.Context.Gate;

    public override Task EndAsync(TimeSpan drain, bool kill) => home.StopAsync(actor.Id, kill ? TimeSpan.Zero : drain, CancellationToken.None);
}
