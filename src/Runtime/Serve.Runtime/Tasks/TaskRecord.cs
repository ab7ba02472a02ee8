using Serve.Calls;

namespace Serve.Runtime.Tasks;

/// <summary>A task that was submitted, and at once the ref to its result.</summary>
internal sealed class TaskRecord<TResult>(Cluster cluster, ObjectId id, RemoteFunction function, MethodCall<TResult> call, TaskOptions? options)
    : ObjectRef<TResult>(cluster, id), IThreadPoolWorkItem
{
    private static readonly object NoTarget = new();
    private int missing = 1;

    public RemoteFunction Function => function;

    public TaskOptions? Options => options;

    /// <summary>Starts it when the refs among its arguments are ready.</summary>
    public void StartWhenReady()
    {
        if (call.HasRefs)
        {
            var references = new List<ObjectRef>();
            call.CollectRefs(references);
            missing += references.Count;
            foreach (var reference in references)
            {
                reference.Demand(fetch: true);
                if (!reference.TryOnReady(new Argument(this)))
                    ArgumentReady();
            }
        }

        ArgumentReady();
    }

    public async void Execute()
    {
        try
        {
            TaskContext.SetFlowing(new(Cluster, Id));
            if (!call.TryInvoke(NoTarget, CancellationToken.None, out var pending))
                throw new InvalidOperationException($"{Function} cannot be invoked.");
            TrySetResult(await pending.ConfigureAwait(false));
        }
        catch (Exception thrown)
        {
            TrySetException(thrown is ServeException ? thrown : new UserCodeException(thrown));
        }
    }

    private void ArgumentReady()
    {
        if (Interlocked.Decrement(ref missing) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    private sealed class Argument(TaskRecord<TResult> task) : RefContinuation
    {
        internal override void Run() => task.ArgumentReady();
    }
}
