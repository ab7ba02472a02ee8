using Serve.Runtime.Sessions;
using Serve.Runtime.Workers;

namespace Serve.Runtime.CoreActors;

/// <summary>A life in a worker of its own. Ended once: by its process, or by whoever asks.</summary>
internal sealed class WorkerActorIncarnation(ActorRecord actor, WorkerConnection session) : ActorIncarnation
{
    /// <summary>How long an actor's own disposal in its worker may take.</summary>
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromSeconds(10);

    private PooledWorker Worker => session.Worker;

    public override string? EndedBecause => Worker.EndedBecause;

    public override string? WorkerId => Worker.Id;

    public override int Pid => Worker.Process?.Pid ?? 0;

    /// <summary>Runs the constructor, and from then on tells the actor when its process ends.</summary>
    public async Task BeginAsync(ActorInstanceFactory construct, ResolvedActorOptions settings, IReadOnlyList<int> gpuIds)
    {
        session.Send(new() { Actor = ActorFrameMapper.ToWire(actor.Id, construct.Type, settings) });
        await OrderAsync(ActorFrameMapper.Construct, construct, gpuIds).ConfigureAwait(false);
        _ = WatchAsync();
    }

    /// <summary>Sends a call, which is told of its end, or of the worker's.</summary>
    public void Send(DispatchedTask run) => session.Start(run);

    public void OnLost(string reason) => actor.OnDied(this, reason);

    public override async Task EndAsync(TimeSpan drain, bool kill)
    {
        if (kill)
            Worker.Process?.Kill($"Actor {actor} was killed.");
        else if (EndedBecause is null)
            await OrderAsync(ActorFrameMapper.End, null, []).WaitAsync(DisposeLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await Worker.ReleaseAsync().ConfigureAwait(false);
    }

    private async Task WatchAsync() => OnLost(await Worker.Ended.Task.ConfigureAwait(false));

    private Task OrderAsync(string method, ActorInstanceFactory? construct, IReadOnlyList<int> gpuIds)
    {
        var order = new ActorLifecycleCommand(actor, method, construct, gpuIds);
        session.Start(new(order, order));
        return order.Ended;
    }
}
