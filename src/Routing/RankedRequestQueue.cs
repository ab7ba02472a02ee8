using Serve.Calls;

namespace Serve.Routing;

/// <summary>
/// Waiting requests of one model, or of none: a queue in order of arrival for each priority. Higher priorities leave first, except that the caller may ask for the oldest request, so that none starves.
/// Not thread-safe.
/// </summary>
internal sealed class RankedRequestQueue
{
    private readonly LinkedList<QueuedRequest>?[] _byPriority = new LinkedList<QueuedRequest>?[CallUrgency.MaxPriority - CallUrgency.MinPriority + 1];

    /// <summary>Number of requests.</summary>
    public int Count { get; private set; }

    /// <summary>Adds a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="atFront">Whether it precedes those of the same priority.</param>
    public void Add(QueuedRequest request, bool atFront)
    {
        var list = _byPriority[request.Wanted.Urgency.Priority - CallUrgency.MinPriority] ??= new();
        request.Node = atFront ? list.AddFirst(request) : list.AddLast(request);
        Count++;
    }

    /// <summary>Removes a request of this queue.</summary>
    public void Remove(QueuedRequest request)
    {
        request.Node!.List!.Remove(request.Node);
        request.Node = null;
        Count--;
    }

    /// <summary>Returns the next request of a queue that is not empty.</summary>
    /// <param name="oldest">Whether to return the one that has waited longest, whatever its priority.</param>
    public QueuedRequest Peek(bool oldest)
    {
        QueuedRequest? first = null;
        for (var i = _byPriority.Length - 1; i >= 0; i--)
        {
            if (_byPriority[i]?.First is not { Value: var head } || (first is not null && first.Order <= head.Order))
                continue;
            first = head;
            if (!oldest)
                break;
        }

        return first!;
    }

    /// <summary>Returns the newest request of the lowest priority.</summary>
    public QueuedRequest? FindLowest()
    {
        foreach (var list in _byPriority)
        {
            if (list?.Last is { } last)
                return last.Value;
        }

        return null;
    }

    /// <summary>Returns the number of requests of at least a priority.</summary>
    public int CountFrom(int priority)
    {
        var count = 0;
        for (var i = priority - CallUrgency.MinPriority; i < _byPriority.Length; i++)
            count += _byPriority[i]?.Count ?? 0;
        return count;
    }
}

/// <summary>A request that waits for a replica. Its links belong to the queue's lock.</summary>
/// <param name="queue">The queue.</param>
/// <param name="wanted">The request; without a model if the deployment has none.</param>
/// <param name="order">Position by arrival; lower is older.</param>
/// <param name="patientUntil">Timestamp until which the request waits for a replica that has its model.</param>
internal sealed class QueuedRequest(RequestAdmissionQueue queue, RoutingRequest wanted, long order, long patientUntil)
    : TaskCompletionSource<ReplicaSlot>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public RoutingRequest Wanted => wanted;

    public long Order => order;

    public long PatientUntil => patientUntil;

    /// <summary>The request's place in its queue; null when it has left the queue.</summary>
    public LinkedListNode<QueuedRequest>? Node { get; set; }

    public void Cancel(CancellationToken cancellationToken)
    {
        if (queue.TryRemove(this))
            SetCanceled(cancellationToken);
    }
}
