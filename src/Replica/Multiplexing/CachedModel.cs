namespace Serve.Replica.Multiplexing;

/// <summary>One model from the moment somebody asks for it until it is gone. Written by <see cref="MultiplexedModelCache"/> under its lock.</summary>
internal sealed class CachedModel
{
    public CachedModel(string id)
    {
        Id = id;
        Node = new(this);
    }

    public string Id { get; }

    public CachedModelState State { get; set; }

    /// <summary>Its place in the line of those that wait, or of those that nobody uses.</summary>
    public LinkedListNode<CachedModel> Node { get; }

    /// <summary>Who uses it, or waits to.</summary>
    public LinkedList<CachedModelUse> Uses { get; } = new();

    /// <summary>Cancels its load.</summary>
    public CancellationTokenSource Abandoned { get; } = new();

    /// <summary>Completes with the model.</summary>
    public TaskCompletionSource<object> Ready { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>When the last that used it left.</summary>
    public long IdleSince { get; set; }
}
