using System.Linq.Expressions;
using System.Runtime.CompilerServices;

namespace Serve.Workflows;

/// <summary>A handle to a workflow. It stays valid when the workflow is not in memory, and after a restart.</summary>
public class WorkflowHandle
{
    internal WorkflowHandle(WorkflowHost host, string id) => (Host, Id) = (host, id);

    /// <summary>Gets the workflow's id.</summary>
    public string Id { get; }

    internal WorkflowHost Host { get; }

    /// <inheritdoc cref="WorkflowHost.GetStatus"/>
    public WorkflowStatus GetStatus() => Host.GetStatus(Id);

    /// <inheritdoc cref="WorkflowHost.GetMetadata"/>
    public WorkflowInfo GetMetadata() => Host.GetMetadata(Id);

    /// <summary>Waits for the end of the workflow, or reads the logged result of one of its steps.</summary>
    /// <inheritdoc cref="WorkflowHost.GetOutput"/>
    public Task<T> GetOutput<T>(string? step = null, CancellationToken cancellationToken = default) => Host.GetOutput<T>(Id, step, cancellationToken);

    /// <inheritdoc cref="WorkflowHost.SendEvent"/>
    public Task SendEvent<T>(string name, T payload, string? idempotencyKey = null) => Host.SendEvent(Id, name, payload, idempotencyKey);

    /// <inheritdoc cref="WorkflowHost.Cancel"/>
    public Task Cancel(string reason = "it was canceled by its owner") => Host.Cancel(Id, reason);

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>A handle to a workflow with a result of a known type. Awaiting it waits for the result.</summary>
/// <typeparam name="TResult">The result type.</typeparam>
public class WorkflowHandle<TResult> : WorkflowHandle
{
    internal WorkflowHandle(WorkflowHost host, string id)
        : base(host, id)
    {
    }

    /// <summary>Waits for the result of the workflow.</summary>
    /// <param name="cancellationToken">Cancels the wait, but not the workflow.</param>
    /// <returns>The result.</returns>
    /// <exception cref="WorkflowFailedException">The workflow failed.</exception>
    /// <exception cref="WorkflowCanceledException">The workflow was canceled.</exception>
    /// <exception cref="WorkflowBlockedException">The workflow cannot continue until its code has been fixed.</exception>
    public Task<TResult> GetResult(CancellationToken cancellationToken = default) => Host.GetOutput<TResult>(Id, null, cancellationToken);

    /// <summary>Waits for the result.</summary>
    /// <returns>An awaiter.</returns>
    public TaskAwaiter<TResult> GetAwaiter() => GetResult().GetAwaiter();
}

/// <summary>A handle to a workflow of a known class.</summary>
/// <typeparam name="TWorkflow">The class.</typeparam>
/// <typeparam name="TResult">The result type.</typeparam>
public sealed class WorkflowHandle<TWorkflow, TResult> : WorkflowHandle<TResult>
    where TWorkflow : class
{
    internal WorkflowHandle(WorkflowHost host, string id)
        : base(host, id)
    {
    }

    /// <summary>Sends a signal: <c>handle.Signal(w => w.AddBag(12))</c>. Completes when the signal is logged; the workflow receives it exactly once and in order.</summary>
    /// <param name="signal">The call of a method with <see cref="SignalAttribute"/>.</param>
    /// <param name="idempotencyKey">A second signal or event with the same key is dropped. Default: none.</param>
    /// <returns>A task that completes when the signal is durable.</returns>
    /// <exception cref="WorkflowStatusException">The workflow has ended.</exception>
    public Task Signal(Expression<Action<TWorkflow>> signal, string? idempotencyKey = null)
    {
        ArgumentNullException.ThrowIfNull(signal);
        if (signal.Body is not MethodCallExpression { Object: ParameterExpression } call)
            throw new ArgumentException("A signal must be the call of a method of the workflow: handle.Signal(w => w.Approve(true)).", nameof(signal));
        object?[] arguments = [.. call.Arguments.Select(argument => Expression.Lambda(argument).Compile(preferInterpretation: true).DynamicInvoke())];
        return Host.Signal(Id, call.Method.Name, arguments, idempotencyKey);
    }

    /// <summary>Reads fields of the workflow: <c>handle.Query(w => w.Bags())</c>. An ended workflow answers from its log.</summary>
    /// <typeparam name="T">The type of the answer.</typeparam>
    /// <param name="query">Reads the workflow; it must not change it.</param>
    /// <returns>The answer.</returns>
    public Task<T> Query<T>(Func<TWorkflow, T> query)
    {
        ArgumentNullException.ThrowIfNull(query);
        return Host.Ask(Id, workflow => workflow is TWorkflow typed
            ? query(typed)
            : throw new ArgumentException($"Workflow '{Id}' is of class {workflow.GetType().Name}, not {typeof(TWorkflow).Name}."));
    }
}
