using System.Text.Json;

namespace Serve.Workflows;

/// <summary>An error of a step or a workflow as it is stored.</summary>
/// <param name="Type">The full name of the exception's type.</param>
/// <param name="Message">Its message.</param>
/// <param name="Details">Its text with stack traces; null if there is none.</param>
public sealed record WorkflowError(string Type, string Message, string? Details = null)
{
    private const int MaxDetails = 16_384;

    internal static WorkflowError Of(Exception failure)
    {
        if (failure is WorkflowStepException { Error: var error })
            return error;
        var details = failure.ToString();
        return new(failure.GetType().FullName ?? failure.GetType().Name, failure.Message, details.Length > MaxDetails ? details[..MaxDetails] : details);
    }

    /// <summary>Reads a stored error.</summary>
    /// <param name="json">The stored error.</param>
    /// <returns>The error.</returns>
    public static WorkflowError Parse(string json) => JsonSerializer.Deserialize<WorkflowError>(json)!;

    /// <summary>Returns the error as it is stored.</summary>
    /// <returns>The error as JSON.</returns>
    public string ToJson() => JsonSerializer.Serialize(this);
}

/// <summary>Base class of the exceptions of workflows.</summary>
public class WorkflowException : Exception
{
    /// <summary>Creates an exception.</summary>
    /// <param name="message">The message.</param>
    /// <param name="inner">The cause.</param>
    public WorkflowException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>The store of workflows cannot be used; the message contains the reason and the remedy. No committed data is lost.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">The cause.</param>
public class WorkflowStorageException(string message, Exception? inner = null) : WorkflowException(message, inner);

/// <summary>The store is used by another host; see <see cref="WorkflowOptions.StorageWait"/>.</summary>
/// <param name="message">The message.</param>
/// <param name="inner">The cause.</param>
public sealed class WorkflowStorageInUseException(string message, Exception? inner = null) : WorkflowStorageException(message, inner);

/// <summary>
/// The lease of this host on a shared store has expired, for example because the process was suspended. Other hosts may run its workflows; it has committed nothing since and continues with the
/// workflows that it starts from now on.
/// </summary>
/// <param name="store">The store.</param>
public sealed class WorkflowLeaseException(string store) : WorkflowException($"The lease of this host on workflow store '{store}' has expired; other hosts take over its workflows.");

/// <summary>There is no workflow, step, signal or query with the name.</summary>
/// <param name="message">The message.</param>
public sealed class WorkflowNotFoundException(string message) : WorkflowException(message);

/// <summary>A workflow with the id exists and is another one, or has another input.</summary>
/// <param name="message">The message.</param>
public sealed class WorkflowExistsException(string message) : WorkflowException(message);

/// <summary>The operation does not fit the workflow's status, for example the deletion of an open workflow.</summary>
/// <param name="message">The message.</param>
public sealed class WorkflowStatusException(string message) : WorkflowException(message);

/// <summary>A limit was exceeded: payload size, history length or depth.</summary>
/// <param name="message">The message.</param>
public sealed class WorkflowLimitException(string message) : WorkflowException(message);

/// <summary>A step or child workflow failed, after its retries. Thrown in workflow code, equally when the step ran and when its result comes from the log.</summary>
/// <param name="step">The step's name.</param>
/// <param name="error">Its error.</param>
public sealed class WorkflowStepException(string step, WorkflowError error) : WorkflowException($"Step '{step}' failed: {error?.Message}")
{
    /// <summary>Gets the step's name.</summary>
    public string Step => step;

    /// <summary>Gets the step's error.</summary>
    public WorkflowError Error => error;

    /// <summary>Returns whether the step's exception was of a type or is derived from it, as far as the type can be loaded in this process.</summary>
    /// <typeparam name="T">The exception type.</typeparam>
    /// <returns>Whether the error is of this type.</returns>
    public bool Is<T>()
        where T : Exception =>
        error.Type == typeof(T).FullName || WorkflowErrorTypes.IsDerived(error.Type, typeof(T));
}

/// <summary>The workflow failed.</summary>
/// <param name="workflowId">The workflow's id.</param>
/// <param name="error">Its error.</param>
public sealed class WorkflowFailedException(string workflowId, WorkflowError error) : WorkflowException($"Workflow '{workflowId}' failed: {error?.Message}")
{
    /// <summary>Gets the workflow's error.</summary>
    public WorkflowError Error => error;
}

/// <summary>The workflow was canceled.</summary>
/// <param name="workflowId">The workflow's id.</param>
/// <param name="reason">The reason.</param>
public sealed class WorkflowCanceledException(string workflowId, string reason) : OperationCanceledException($"Workflow '{workflowId}' was canceled: {reason}")
{
    /// <summary>Gets the workflow's id.</summary>
    public string WorkflowId => workflowId;
}

/// <summary>The workflow cannot continue until its code has been fixed; it has not failed. Resume it after the fix.</summary>
/// <param name="workflowId">The workflow's id.</param>
/// <param name="reason">The reason.</param>
public sealed class WorkflowBlockedException(string workflowId, WorkflowError reason) : WorkflowException($"Workflow '{workflowId}' is blocked: {reason?.Message}")
{
    /// <summary>Gets the reason; its type is <see cref="NonDeterministicWorkflowException"/> if the code took another path than the log.</summary>
    public WorkflowError Reason => reason;
}

/// <summary>Workflow code is not deterministic: it took another path than its log, or awaited a task that does not belong to its context.</summary>
/// <param name="message">The message.</param>
public sealed class NonDeterministicWorkflowException(string message) : WorkflowException(message);

/// <summary>Ends the current run of a workflow and starts the next one. Created by <see cref="WorkflowContext.ContinueAsNew"/>; workflow code throws it and must not catch it.</summary>
public sealed class ContinueAsNewException : Exception
{
    internal ContinueAsNewException(object?[] arguments)
        : base("The workflow continues as a new run.") =>
        Arguments = arguments;

    internal object?[] Arguments { get; }
}

/// <summary>Finds exception types by name in the loaded assemblies.</summary>
internal static class WorkflowErrorTypes
{
    public static bool IsDerived(string name, Type type) =>
        AppDomain.CurrentDomain.GetAssemblies().Select(assembly => assembly.GetType(name, throwOnError: false)).Any(found => found is not null && type.IsAssignableFrom(found));
}
