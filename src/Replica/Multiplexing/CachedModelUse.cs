namespace Serve.Replica.Multiplexing;

/// <summary>That somebody uses a model, or waits to: while it lasts the model is not unloaded. Written by <see cref="MultiplexedModelCache"/> under its lock.</summary>
internal sealed class CachedModelUse
{
    public CachedModelUse(CachedModel model, RequestModelUses? request)
    {
        Model = model;
        Request = request;
        Node = new(this);
        Refused = model.State == CachedModelState.Loaded ? null : new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    public CachedModel Model { get; }

    /// <summary>The request it ends with; null when it is ended by whoever has it.</summary>
    public RequestModelUses? Request { get; }

    /// <summary>Its place among the uses of its model; in no list once it has ended.</summary>
    public LinkedListNode<CachedModelUse> Node { get; }

    public bool HasEnded => Node.List is null;

    /// <summary>Fails when it is ended because it would wait for ever, and completes in no other way. Null when there was nothing to wait for.</summary>
    public TaskCompletionSource? Refused { get; }
}
