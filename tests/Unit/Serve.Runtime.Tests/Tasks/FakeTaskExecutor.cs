using System.Collections.Concurrent;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Tasks;

/// <summary>Executor that records attempts, to be completed by the test.</summary>
internal sealed class FakeTaskExecutor : ITaskExecutor
{
    public ConcurrentQueue<ITaskAttempt> Started { get; } = new();

    public int Depth { get; set; } = 1;

    public int DepthOf(object lane) => Depth;

    public void Start(ITaskAttempt attempt) => Started.Enqueue(attempt);

    public void Kill(ITaskAttempt attempt) => attempt.ReportFailure(new OperationCanceledException(), isSystem: false);
}
