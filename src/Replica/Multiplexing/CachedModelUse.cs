namespace Serve.Replica.Multiplexing;

/// <summary>A current or waiting use of a model, which prevents its eviction. Written by <see cref="MultiplexedModelCache"/> under its lock.</summary>
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

    /// <summary>Request whose end ends the use; null if its owner ends it.</summary>
    public RequestModelUses? Request { get; }

    /// <summary>Node in the uses of its model; in no list once the use has ended.</summary>
    public LinkedListNode<CachedModelUse> Node { get; }

    public bool HasEnded => Node.List is null;

    /// <summary>Fails if the use is refused because it would wait indefinitely; never completes otherwise. Null if the model was loaded already.</summary>
    public TaskCompletionSource? Refused { get; }
}

/// <summary>Uses of models by one request. Written by <see cref="MultiplexedModelCache"/> under its lock.</summary>
internal sealed class RequestModelUses
{
    public List<CachedModelUse> Uses { get; } = [];

    /// <summary>Whether the request waits for a model without a slot, and therefore does not release its own slots.</summary>
    public bool WaitsForPlace => Uses.Exists(static use => use.Model.State == CachedModelState.Pending);

    /// <summary>Whether one of its models occupies a slot.</summary>
    public bool HasPlace => Uses.Exists(static use => use.Model.State != CachedModelState.Pending);
}
