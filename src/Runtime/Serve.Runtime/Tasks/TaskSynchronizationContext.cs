namespace Serve.Runtime.Tasks;

/// <summary>
/// Synchronization context of async tasks: continuations run on the threads of the runtime, so that code that blocks does not starve the .NET thread pool.
/// </summary>
internal sealed class TaskSynchronizationContext(TaskThreadPool threads) : SynchronizationContext
{
    public TaskThreadPool Threads => threads;

    public override void Post(SendOrPostCallback d, object? state) => threads.Enqueue(new PostedCallback(this, d, state));

    public override void Send(SendOrPostCallback d, object? state) => d(state);

    public override SynchronizationContext CreateCopy() => this;

    private sealed class PostedCallback(TaskSynchronizationContext context, SendOrPostCallback callback, object? state) : IThreadPoolWorkItem
    {
        public void Execute()
        {
            SetSynchronizationContext(context);
            callback(state);
        }
    }
}
