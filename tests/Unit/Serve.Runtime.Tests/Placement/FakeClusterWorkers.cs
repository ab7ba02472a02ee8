using Serve.Runtime.Execution;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Placement;

/// <summary>Workers of a node that run tasks only.</summary>
internal sealed class FakeClusterWorkers(ITaskExecutor tasks) : IClusterWorkers
{
    public ITaskExecutor Tasks => tasks;

    public IEnumerable<ObjectRef> LentObjects => [];

    public void Prestart(int count) => throw new NotSupportedException();

    public IReadOnlyList<WorkerState> List() => [];

    public Task<IActorWorker> StartActorWorkerAsync(string label, CancellationToken cancellationToken) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
