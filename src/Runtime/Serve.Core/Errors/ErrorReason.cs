namespace Serve;

/// <summary>The stable <c>reason</c> of a problem document: what scripts and clients may match on.</summary>
public static class ErrorReason
{
    /// <summary>404: no application answers at this path, or no deployment has this name.</summary>
    public const string NoSuchRoute = "no_such_route";

    /// <summary>503 with <c>Retry-After</c>: all replicas are busy and the queue is full.</summary>
    public const string Overloaded = "overloaded";

    /// <summary>503: the deployment has no replica that could answer.</summary>
    public const string NoReplica = "no_replica";

    /// <summary>408: the request took longer than its timeout.</summary>
    public const string Timeout = "timeout";

    /// <summary>500: the deployment's own code threw.</summary>
    public const string UserException = "user_exception";

    /// <summary>502: the replica's process ended while the request was on it.</summary>
    public const string ReplicaDied = "replica_died";

    /// <summary>400 (413 for a body over the limit): the request itself is wrong.</summary>
    public const string BadInput = "bad_input";

    /// <summary>409: the request contradicts how the node runs now.</summary>
    public const string Conflict = "conflict";

    /// <summary>500: the node's state on disk cannot be read or written.</summary>
    public const string StateStore = "state_store";

    /// <summary>401: the token is missing or wrong.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>403: a host name or a browser page that may not talk to this server.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>503: the node does not answer, or the connection to it broke. Only clients say this.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>502: the answer is not of the form or type that was asked for. Only clients say this.</summary>
    public const string UnreadableResult = "unreadable_result";

    /// <summary>503: the node's ledger cannot give what was asked for.</summary>
    public const string InsufficientResources = "insufficient_resources";

    /// <summary>502: the worker process of a task ended under it.</summary>
    public const string WorkerDied = "worker_died";

    /// <summary>502: the actor is gone, or went under the call.</summary>
    public const string ActorDied = "actor_died";

    /// <summary>404: no living actor has this name.</summary>
    public const string ActorNotFound = "actor_not_found";

    /// <summary>410: the object is gone and cannot be made again.</summary>
    public const string ObjectLost = "object_lost";

    /// <summary>503: too many calls wait for the actor.</summary>
    public const string PendingCallsLimit = "pending_calls_limit";

    /// <summary>500: tasks wait for each other in a circle.</summary>
    public const string Deadlock = "deadlock";

    /// <summary>507: the machine's memory was nearly full and the task was stopped.</summary>
    public const string OutOfMemory = "out_of_memory";

    /// <summary>400: a value cannot be sent to another process.</summary>
    public const string NotSerializable = "not_serializable";

    /// <summary>500: a model cannot be loaded or run.</summary>
    public const string InferenceFailed = "inference_failed";

    /// <summary>503: nothing was in the queue in time.</summary>
    public const string QueueEmpty = "queue_empty";

    /// <summary>503: there was no room in the queue in time.</summary>
    public const string QueueFull = "queue_full";
}
