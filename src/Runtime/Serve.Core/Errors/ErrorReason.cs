namespace Serve;

/// <summary>The stable <c>reason</c> of a problem document, for scripts and clients to match on.</summary>
public static class ErrorReason
{
    /// <summary>404: no application has this path, or no deployment has this name.</summary>
    public const string NoSuchRoute = "no_such_route";

    /// <summary>404: the workflow host has no workflow with this id, or no step, signal or query of this name.</summary>
    public const string NoSuchWorkflow = "no_such_workflow";

    /// <summary>503 with <c>Retry-After</c>: all replicas are busy and the queue is full.</summary>
    public const string Overloaded = "overloaded";

    /// <summary>503: the deployment has no available replica.</summary>
    public const string NoReplica = "no_replica";

    /// <summary>408: the request exceeded its timeout.</summary>
    public const string Timeout = "timeout";

    /// <summary>504: the request was refused before it started, because it could not be completed before its deadline.</summary>
    public const string DeadlineUnmeetable = "deadline_unmeetable";

    /// <summary>500: user code threw an exception.</summary>
    public const string UserException = "user_exception";

    /// <summary>502: the replica's process died while it served the request.</summary>
    public const string ReplicaDied = "replica_died";

    /// <summary>400 (413 for a body above the limit): the request is invalid.</summary>
    public const string BadInput = "bad_input";

    /// <summary>409: the request conflicts with the state of the node.</summary>
    public const string Conflict = "conflict";

    /// <summary>500: the node's state on disk cannot be read or written.</summary>
    public const string StateStore = "state_store";

    /// <summary>401: the token is missing or wrong.</summary>
    public const string Unauthorized = "unauthorized";

    /// <summary>403: the host name or browser origin is not allowed.</summary>
    public const string Forbidden = "forbidden";

    /// <summary>503: the node is unreachable, or the connection broke. Reported by clients only.</summary>
    public const string Unreachable = "unreachable";

    /// <summary>502: the response cannot be read as the requested type. Reported by clients only.</summary>
    public const string UnreadableResult = "unreadable_result";

    /// <summary>503: the requested resources are not available.</summary>
    public const string InsufficientResources = "insufficient_resources";

    /// <summary>502: the worker process died while it ran the task.</summary>
    public const string WorkerDied = "worker_died";

    /// <summary>502: the actor is dead, or died during the call.</summary>
    public const string ActorDied = "actor_died";

    /// <summary>404: no live actor has this name.</summary>
    public const string ActorNotFound = "actor_not_found";

    /// <summary>410: the object was lost and cannot be recomputed.</summary>
    public const string ObjectLost = "object_lost";

    /// <summary>503: the actor has too many pending calls.</summary>
    public const string PendingCallsLimit = "pending_calls_limit";

    /// <summary>500: tasks wait for each other in a cycle.</summary>
    public const string Deadlock = "deadlock";

    /// <summary>507: the task was stopped because the machine ran out of memory.</summary>
    public const string OutOfMemory = "out_of_memory";

    /// <summary>400: a value cannot be sent to another process.</summary>
    public const string NotSerializable = "not_serializable";

    /// <summary>500: a model cannot be loaded or run.</summary>
    public const string InferenceFailed = "inference_failed";

    /// <summary>503: the queue was empty until the timeout expired.</summary>
    public const string QueueEmpty = "queue_empty";

    /// <summary>503: the queue was full until the timeout expired.</summary>
    public const string QueueFull = "queue_full";
}
