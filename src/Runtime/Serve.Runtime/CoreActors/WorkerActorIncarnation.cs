using Serve.Runtime.Execution;

namespace Serve.Runtime.CoreActors;

/// <summary>Incarnation of an actor in a worker of its own. Ended once: by its process, or by the caller of <see cref="EndAsync"/>.</summary>
internal sealed class WorkerActorIncarnation(ActorRecord actor, IActorWorker worker) : ActorIncarnation
{
    /// <summary>How long the actor's own disposal in its worker may take.</summary>
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromSeconds(10);

    public override string? EndedBecause => worker.ExitReason;

    public override string? WorkerId => worker.WorkerId;

    public override int Pid => worker.Pid;

    /// <summary>Runs the constructor; from then on the actor is notified when the process exits.</summary>
    public async Task BeginAsync(ActorInstanceFactory construct, ResolvedActorOptions settings, IReadOnlyList<int> gpuIds)
    {
        worker.Define(actor.Id, construct.Type, settings);
        await RunCommandAsync(ActorLifecycleCommand.Construct, construct, gpuIds).ConfigureAwait(false);
        _ = WatchAsync();
    }

    /// <summary>Sends an attempt of a call, which is notified of its end or of the worker's.</summary>
    public void Send(IActorCallAttempt attempt) => worker.Start(attempt);

    public void OnLost(string reason) => actor.OnDied(this, reason);

    public override async Task EndAsync(TimeSpan drain, bool kill)
    {
        if (kill)
            worker.Kill($"Actor {actor} was killed.");
        else if (EndedBecause is null)
            await RunCommandAsync(ActorLifecycleCommand.End, null, []).WaitAsync(DisposeLimit).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await worker.ReleaseAsync().ConfigureAwait(false);
    }

    private async Task WatchAsync() => OnLost(await worker.Exited.ConfigureAwait(false));

    private Task RunCommandAsync(string method, ActorInstanceFactory? construct, IReadOnlyList<int> gpuIds)
    {
        var command = new ActorLifecycleCommand(actor, method, construct, gpuIds);
        worker.Start(command);
        return command.Ended;
    }
}
