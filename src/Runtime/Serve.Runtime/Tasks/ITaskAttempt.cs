namespace Serve.Runtime.Tasks;

/// <summary>
/// One attempt of a task or an actor call, as seen by the executor that runs it. Its arguments are ready and its resources reserved. The executor calls exactly
/// one of <see cref="ReportResult"/>, <see cref="ReportStreamEnd"/> and <see cref="ReportFailure"/>, once; retries, the release of resources and the completion of the
/// reference follow from that.
/// </summary>
public interface ITaskAttempt
{
    /// <summary>Reference to the task's result.</summary>
    ObjectRef Reference { get; }

    ObjectId Id { get; }

    /// <summary>Display name.</summary>
    string Name { get; }

    /// <summary>Function of the task; null for an actor call.</summary>
    RemoteFunction? Function { get; }

    /// <summary>Id of the called actor; null for a task.</summary>
    string? ActorId { get; }

    /// <summary>Method name.</summary>
    string Method { get; }

    /// <summary>Task that submitted this one; null if the program did.</summary>
    ObjectId? Parent { get; }

    /// <summary>Attempt number, from 1.</summary>
    int Attempt { get; }

    /// <summary>Canceled when the task is canceled or times out.</summary>
    CancellationToken StopToken { get; }

    /// <summary>Whether results are delivered one by one, through <see cref="ReportItemAsync"/>.</summary>
    bool IsStream { get; }

    /// <summary>Streams: number of items that a worker may send before the driver has accepted them.</summary>
    int ItemWindow => 0;

    /// <summary>GPU devices assigned by the ledger.</summary>
    IReadOnlyList<int> GpuIds { get; }

    /// <summary>Pipeline that the attempt shares its resources with: attempts of one pipeline run one after the other. Null if it has resources of its own.</summary>
    object? Pipeline => null;

    /// <summary>Whether the attempt may be retried after a system failure.</summary>
    bool MayRetry => false;

    /// <summary>Context of the task's code; null if it runs no user code.</summary>
    TaskContext? Context => null;

    /// <summary>Requeues an attempt that has not started.</summary>
    /// <returns>False if it cannot be requeued and remains with the executor.</returns>
    bool TryRequeue() => false;

    /// <summary>Returns the arguments, in the form of <see cref="Serve.Calls.MethodCall{TResult}.GetArguments"/>.</summary>
    object?[] GetArguments();

    /// <summary>Reports that the attempt has started: in a worker, or in this process (null).</summary>
    void ReportStarted(string? workerId);

    /// <summary>Reports the encoded result.</summary>
    void ReportResult(StoredObject result);

    /// <summary>Reports the successful end of the stream.</summary>
    void ReportStreamEnd();

    /// <summary>Reports one item of a stream.</summary>
    /// <returns>Task that completes when the next item may be sent.</returns>
    ValueTask ReportItemAsync(StoredObject item);

    /// <summary>Reports a failure.</summary>
    /// <param name="failure">Exception for the caller unless the attempt is retried; a <see cref="UserCodeException"/> if the task's own code threw.</param>
    /// <param name="isSystem">Whether the system failed (the worker died, memory ran out) instead of the task's code; such attempts are retried by default.</param>
    void ReportFailure(Exception failure, bool isSystem);
}
