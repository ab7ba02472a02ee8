namespace Serve.Runtime.Actors;

/// <summary>An incarnation in this process. A kill abandons running calls after a short time and disposes the instance, since running code cannot be aborted.</summary>
public sealed class LocalActorIncarnation(ProcessActorHost host, HostedActor actor) : ActorIncarnation
{
    internal ActorCallInvoker Invoker { get; } = actor.Invoker;

    public override ConcurrencyLimiter? Limiter => actor.Context.Gate;

    public override HostProcessAddress? Address => actor.Process;

    public override Task EndAsync(TimeSpan drain, bool kill, CancellationToken cancellationToken) => host.StopAsync(actor.Id, kill ? TimeSpan.Zero : drain, cancellationToken);

    public override Task ReconfigureAsync(int maxOngoing, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        host.ReconfigureAsync(actor.Id, maxOngoing, payload, cancellationToken);

    public override Task<IReadOnlyList<string>> GetNoticesAsync(CancellationToken cancellationToken) => Task.FromResult(actor.Instance.Notices);

    public override Task CheckHealthAsync(TimeSpan timeout, CancellationToken cancellationToken) => host.CheckHealthAsync(actor.Id, timeout, cancellationToken);
}
