namespace Serve.Runtime.Tasks;

/// <summary>Where the code of async tasks goes on after an await: on the runtime's threads, so that code that blocks there starves nobody. Holds no state.</summary>
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
