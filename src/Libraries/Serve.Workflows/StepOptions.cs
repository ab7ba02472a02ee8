using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Serve.Workflows;

/// <summary>Options of one step. Null properties take the value of <see cref="StepAttribute"/> or <see cref="RemoteAttribute"/>.</summary>
public sealed record StepOptions
{
    /// <summary>The step's name in the log; Ray's <c>task_id</c>. A second step of the same name gets the suffix <c>_1</c>. Default: the method's name.</summary>
    public string? Name { get; init; }

    /// <summary>Maximum retries: for exceptions that <see cref="RetryOn"/> lists and, counted separately, for deaths of the worker. -1 for no limit. Default 3.</summary>
    public int? MaxRetries { get; init; }

    /// <summary>Exception types (including derived ones) for which the step is retried. Default: none.</summary>
    [JsonIgnore]
    public IReadOnlyList<Type>? RetryOn { get; init; }

    /// <summary>Wait before the first retry; doubled for each further one, with up to 20 % of jitter. A durable timer: it survives a restart of the host. Default 1 s.</summary>
    public TimeSpan? Backoff { get; init; }

    /// <summary>Maximum wait before a retry. Default 5 minutes.</summary>
    public TimeSpan? MaxBackoff { get; init; }

    /// <summary>Whether the result is stored. If false, the step runs again when the workflow is resumed; for steps that are cheaper to repeat than to store. Default true.</summary>
    public bool? Checkpoint { get; init; }

    /// <inheritdoc cref="RemoteAttribute.TimeoutSeconds"/>
    public TimeSpan? Timeout { get; init; }

    /// <inheritdoc cref="RemoteAttribute.NumCpus"/>
    public double? NumCpus { get; init; }

    /// <inheritdoc cref="RemoteAttribute.NumGpus"/>
    public double? NumGpus { get; init; }

    /// <inheritdoc cref="RemoteAttribute.Memory"/>
    public long? Memory { get; init; }

    /// <inheritdoc cref="TaskOptions.Resources"/>
    public ImmutableDictionary<string, double>? Resources { get; init; }

    /// <inheritdoc cref="RemoteAttribute.Isolation"/>
    public Isolation Isolation { get; init; }

    /// <summary>Metadata of the step, as <see cref="WorkflowHost.GetStep"/> returns it. Default: none.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Gets the full names of further exception types for which the step is retried: stored graphs contain names, and never load types.</summary>
    [JsonInclude]
    [JsonPropertyName(nameof(RetryOn))]
    internal IReadOnlyList<string>? RetryOnNames { get; init; }

    /// <summary>Returns these options with unset properties taken from others.</summary>
    internal StepOptions Or(StepOptions defaults) => this with
    {
        Name = Name ?? defaults.Name,
        MaxRetries = MaxRetries ?? defaults.MaxRetries,
        RetryOn = RetryOn ?? (RetryOnNames is null ? defaults.RetryOn : null),
        Backoff = Backoff ?? defaults.Backoff,
        MaxBackoff = MaxBackoff ?? defaults.MaxBackoff,
        Checkpoint = Checkpoint ?? defaults.Checkpoint,
        Timeout = Timeout ?? defaults.Timeout,
        NumCpus = NumCpus ?? defaults.NumCpus,
        NumGpus = NumGpus ?? defaults.NumGpus,
        Memory = Memory ?? defaults.Memory,
        Resources = Resources ?? defaults.Resources,
        Isolation = Isolation == Isolation.Default ? defaults.Isolation : Isolation,
        Metadata = Metadata ?? defaults.Metadata,
    };

    /// <summary>Returns these options as a graph stores them.</summary>
    internal StepOptions ToStored() => this with { RetryOn = null, RetryOnNames = RetryOn is { } types ? [.. types.Select(type => type.FullName ?? type.Name)] : RetryOnNames };

    internal void Validate()
    {
        if (MaxRetries is < -1)
            throw new ArgumentOutOfRangeException(nameof(MaxRetries), MaxRetries, "MaxRetries must be -1 (no limit) or more.");
        if (Backoff is { } backoff && backoff < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(Backoff), backoff, "Backoff must not be negative.");
        if (Name is not null && string.IsNullOrWhiteSpace(Name))
            throw new ArgumentException("The name of a step must not be empty.", nameof(Name));
    }

    internal TaskOptions ToTaskOptions(string name, RemoteAttribute? defaults = null) => new()
    {
        Name = name,
        NumCpus = NumCpus,
        NumGpus = NumGpus,
        Memory = Memory,
        Resources = Resources,
        Isolation = Isolation,
        MaxRetries = MaxRetries,
        Timeout = Timeout,

        // Retries of exceptions are durable, so the workflow does them. A delegate cannot leave a worker process: it is used only where it has an effect.
        RetryOn = defaults?.RetryOn is { Length: > 0 } ? static _ => false : null,
    };

    /// <summary>Returns the wait before the next attempt; null if the step must not be retried.</summary>
    /// <param name="failure">The exception of the last attempt.</param>
    /// <param name="attempt">The number of attempts so far.</param>
    internal TimeSpan? RetryDelay(Exception failure, int attempt)
    {
        var limit = MaxRetries ?? 3;
        if ((limit >= 0 && attempt > limit) || !IsRetried(failure))
            return null;
        var backoff = (Backoff ?? TimeSpan.FromSeconds(1)) * Math.Pow(2, Math.Min(attempt - 1, 30));
        var max = MaxBackoff ?? TimeSpan.FromMinutes(5);
#pragma warning disable CA5394 // Jitter needs no cryptographic randomness.
        return (backoff < max ? backoff : max) * (1 + (0.2 * Random.Shared.NextDouble()));
#pragma warning restore CA5394
    }

    private bool IsRetried(Exception failure)
    {
        if (RetryOn?.Any(type => type.IsInstanceOfType(failure)) == true)
            return true;

        // By name: for stored graphs, and for an exception that could not be sent from its worker.
        HashSet<string?> names = [.. RetryOnNames ?? [], .. RetryOn?.Select(type => type.FullName) ?? []];
        if (failure is UserCodeException remote && names.Contains(remote.ExceptionType))
            return true;
        for (var type = failure.GetType(); type is not null; type = type.BaseType)
        {
            if (names.Contains(type.FullName))
                return true;
        }

        return false;
    }
}

/// <summary>Identifies the running step. A parameter of this type is supplied by the host.</summary>
/// <param name="WorkflowId">The workflow's id.</param>
/// <param name="Step">The step's name in the log.</param>
/// <param name="IdempotencyKey">
/// The workflow, its run and the number of the step: the same in all attempts of a step, and unique among steps. A step whose result was not logged when the process died runs again; pass this key to
/// the system that the step changes, so that it applies the change once.
/// </param>
/// <param name="Attempt">The attempt: 1, and one more after each retry.</param>
public sealed record StepContext(string WorkflowId, string Step, string IdempotencyKey, int Attempt);

/// <summary>Result of a step that may have failed.</summary>
/// <typeparam name="T">The type of the step's result.</typeparam>
/// <param name="Value">The result; the default value if the step failed.</param>
/// <param name="Error">The error; null if the step succeeded.</param>
public sealed record StepResult<T>(T? Value, WorkflowError? Error)
{
    /// <summary>Gets whether the step succeeded.</summary>
    public bool IsSuccess => Error is null;
}
