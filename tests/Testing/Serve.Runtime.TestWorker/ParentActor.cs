using System.Collections.Concurrent;

namespace Serve.Runtime.TestWorker;

/// <summary>An actor whose methods wait for tasks and calls that they started; the test receives these through a queue.</summary>
[Remote]
public sealed class ParentActor
{
    public async Task<bool> Start(ConcurrentQueue<ObjectRef> started, TestCallGate gate)
    {
        var task = Cluster.Current.Run(async stop =>
        {
            gate.OnEntered();
            await Task.Delay(Timeout.Infinite, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            gate.OnLeft();
            return true;
        });
        started.Enqueue(task);
        return await task;
    }

    public async Task<bool> Call(ConcurrentQueue<ObjectRef> started, TestCallGate gate, ActorHandle<CountActor> other)
    {
        var call = other.UntilCancelled.Remote(gate);
        started.Enqueue(call);
        return await call;
    }

    /// <summary>Waits for an actor that has started a task.</summary>
    public async Task<bool> Deep(ConcurrentQueue<ObjectRef> started, TestCallGate gate, ActorHandle<ParentActor> other) => await other.Start.Remote(started, gate);

    public async Task<bool> Stream(ConcurrentQueue<ObjectRef> started, TestCallGate gate, ActorHandle<CountActor> other)
    {
        var stream = other.Up.Remote(int.MaxValue);
        started.Enqueue(stream.Completion);
        gate.OnEntered();
        await stream.Completion;
        return true;
    }
}
