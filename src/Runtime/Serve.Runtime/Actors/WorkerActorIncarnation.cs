using Serve.Runtime.Execution;

namespace Serve.Runtime.Actors;

/// <summary>An incarnation of one of Core's actors in a worker of its own.</summary>
internal sealed class WorkerActorIncarnation(ActorCallQueue calls, IActorWorker worker) : ActorIncarnation
{
    /// <summary>Time limit of the actor's own disposal in its worker.</summary>
    private static readonly TimeSpan DisposeLimit = TimeSpan.FromSeconds(10);

    public override string? ExitReason => worker.ExitReason;

    public override string? WorkerId => worker.WorkerId;

    public override int Pid => worker.Pid;

    /// <summary>Runs the constructor, and reports the exit of the process to the actor from then on.</summary>
    public async Task BeginAsync(IReadOnlyList<int> gpuIds)
    {
        worker.Define(calls.Actor.Id, calls.Factory.Type, calls.Options);
        await RunCommandAsync(ActorLifecycleCommand.Construct, calls.Factory, gpuIds).ConfigureAwait(false);
        _ = WatchAsync();
    }

    /// <summary>Sends an attempt of a call to the worker.</summary>
    public void Send(IActorCallAttempt attempt) => worker.Start(attempt);

    public void OnLost(string reason) => calls.Actor.OnLost(this, reason);

    public override async Task EndAsync(TimeSpan drain, bool kill, CancellationToken cancellationToken)
    {
        if (kill)
            worker.Kill($"Actor {calls.Actor} was killed.");
        else if (ExitReason is null)
            await RunCommandAsync(ActorLifecycleCommand.End, null, []).WaitAsync(DisposeLimit, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await worker.ReleaseAsync().ConfigureAwait(false);
    }

    private async Task WatchAsync() => OnLost(await worker.Exited.ConfigureAwait(false));

    private Task RunCommandAsync(string method, ActorInstanceFactory? factory, IReadOnlyList<int> gpuIds)
    {
        var command = new ActorLifecycleCommand(calls, method, factory, gpuIds);
        worker.Start(command);
        return command.Ended;
    }
}
