namespace Serve.Runtime.Tasks;

/// <summary>
/// One attempt of a task, or of a call of an actor, as whoever runs it sees it. Its refs are ready and its resources reserved. Exactly
/// one of <see cref="ReportResult"/>, <see cref="ReportStreamEnd"/> and <see cref="ReportFailure"/> is called, once; what is to happen then (retry, give resources back, make
/// the ref ready) is decided behind them.
/// </summary>
internal interface ITaskAttempt
{
    /// <summary>The task, which is also the ref of its result.</summary>
    ObjectRef Reference { get; }

    ObjectId Id { get; }

    /// <summary>For people.</summary>
    string Name { get; }

    /// <summary>The function; null when it is an actor's call.</summary>
    RemoteFunction? Function { get; }

    /// <summary>The actor whose call it is; null for a task.</summary>
    string? ActorId { get; }

    /// <summary>The method's name.</summary>
    string Method { get; }

    /// <summary>The task that submitted it; null when the program did.</summary>
    ObjectId? Parent { get; }

    /// <summary>From 1.</summary>
    int Attempt { get; }

    /// <summary>Fires when the task is cancelled or its time is up.</summary>
    CancellationToken StopToken { get; }

    /// <summary>Whether its results come one by one, through <see cref="ReportItemAsync"/>.</summary>
    bool IsStream { get; }

    /// <summary>The devices the ledger assigned.</summary>
    IReadOnlyList<int> GpuIds { get; }

    /// <summary>What it shares its resources with: attempts of one lane are run one after the other. Null when it has its own.</summary>
    object? Pipeline => null;

    /// <summary>Whether it may be tried again when the system fails it.</summary>
    bool MayRetry => false;

    /// <summary>Its code, as what that starts and waits for sees it; null for what is no code of the user's.</summary>
    TaskContext? Context => null;

    /// <summary>Gives it back: it never started, and is to be run when there are resources again.</summary>
    /// <returns>False when it cannot be given back; it is the executor's still.</returns>
    bool TryRequeue() => false;

    /// <summary>The arguments as <see cref="Serve.Calls.MethodCall{TResult}.GetArguments"/> has them.</summary>
    object?[] GetArguments();

    /// <summary>It has started, in a worker or (null) in this process.</summary>
    void ReportStarted(string? workerId);

    /// <summary>It has its result as bytes.</summary>
    void ReportResult(StoredObject result);

    /// <summary>The stream has ended well.</summary>
    void ReportStreamEnd();

    /// <summary>One item of a stream; completes when there is room for the next.</summary>
    ValueTask ReportItemAsync(StoredObject item);

    /// <summary>It failed.</summary>
    /// <param name="failure">What getting its result throws, unless it is tried again: a <see cref="UserCodeException"/> for what its own code threw.</param>
    /// <param name="isSystem">Whether not its own code but the system failed (the worker died, memory ran out), so that it may be tried again without being asked to.</param>
    void ReportFailure(Exception failure, bool isSystem);
}
