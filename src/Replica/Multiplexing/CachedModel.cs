namespace Serve.Replica.Multiplexing;

/// <summary>A model from the first request for it until it is unloaded. Written by <see cref="MultiplexedModelCache"/> under its lock.</summary>
internal sealed class CachedModel
{
    public CachedModel(string id)
    {
        Id = id;
        Node = new(this);
    }

    public string Id { get; }

    public CachedModelState State { get; set; }

    /// <summary>Node in the list of pending models, or in the list of idle models.</summary>
    public LinkedListNode<CachedModel> Node { get; }

    /// <summary>Current and waiting uses.</summary>
    public LinkedList<CachedModelUse> Uses { get; } = new();

    /// <summary>Cancels the load.</summary>
    public CancellationTokenSource Abandoned { get; } = new();

    /// <summary>Completes with the model.</summary>
    public TaskCompletionSource<object> Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Time of the end of the last use.</summary>
    public long IdleSince { get; set; }
}
