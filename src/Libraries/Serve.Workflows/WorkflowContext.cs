using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Serve.Workflows.Definitions;
using Serve.Workflows.Execution;
using Serve.Workflows.Graphs;

namespace Serve.Workflows;

/// <summary>
/// The context of workflow code. The code may await only the tasks of this class, and <c>Task.WhenAll</c> and <c>Task.WhenAny</c> of these; it takes time, ids and random numbers from here,
/// because it runs again from the start when the workflow is resumed and must take the same path. The source generator adds a property for each class with steps.
/// </summary>
public sealed class WorkflowContext
{
    private readonly WorkflowInstance _instance;
    private readonly WorkflowEngine _engine;
    private Random? _random;
    private int _guids;

    internal WorkflowContext(WorkflowInstance instance, WorkflowEngine engine)
    {
        (_instance, _engine) = (instance, engine);
        Metadata = JsonSerializer.Deserialize<Dictionary<string, string>>(instance.Record.Metadata) ?? [];
    }

    /// <summary>Gets the workflow's id.</summary>
    public string Id => _instance.Id;

    /// <summary>Gets the name of its definition.</summary>
    public string Name => _instance.Record.Name;

    /// <summary>Gets the version of the definition with which the workflow was started.</summary>
    public int Version => _instance.Record.Version;

    /// <summary>Gets the run: 1, and one more after each continue-as-new.</summary>
    public int Run => _instance.Record.Run;

    /// <summary>Gets the metadata of the start.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Gets the time: that of the last entry of the log, so that it is the same in each replay. Never goes back.</summary>
    public DateTimeOffset Now => _instance.Now;

    /// <summary>Gets whether the code repeats logged steps; for example to suppress log messages.</summary>
    public bool IsReplaying => _instance.IsReplaying;

    /// <summary>Gets a token that is canceled when the workflow is canceled.</summary>
    public CancellationToken CancellationToken => _instance.CancellationToken;

    /// <summary>Gets the idempotency key of the step that is started next: the workflow, its run and the number of the step.</summary>
    public string IdempotencyKey => string.Create(CultureInfo.InvariantCulture, $"{Id}/{Run}/{_instance.NextSequence}");

    /// <summary>Gets random numbers that are the same in each replay. Not for secrets.</summary>
    public Random Random => _random ??= new Random(BinaryPrimitives.ReadInt32LittleEndian(Hash("random")));

    /// <summary>Returns a new id that is the same in each replay.</summary>
    /// <returns>The id.</returns>
    public Guid NewGuid()
    {
        _instance.ThrowIfOutside();
        return new Guid(Hash(string.Create(CultureInfo.InvariantCulture, $"guid {_guids++}")).AsSpan(0, 16));
    }

    /// <summary>Waits. The time is stored: it passes while the host is stopped, too.</summary>
    /// <param name="duration">The duration; 0 or less returns at once.</param>
    /// <returns>A task that completes after the duration.</returns>
    /// <exception cref="OperationCanceledException">The workflow was canceled.</exception>
    public Task Sleep(TimeSpan duration) => SleepUntil(WorkflowEngine.Later(Now, duration));

    /// <summary>Waits until a time. A time in the past returns at once.</summary>
    /// <param name="time">The time.</param>
    /// <returns>A task that completes at the time.</returns>
    /// <exception cref="OperationCanceledException">The workflow was canceled.</exception>
    public Task SleepUntil(DateTimeOffset time)
    {
        _instance.ThrowIfOutside();
        return time <= Now ? Task.CompletedTask : _instance.Register(sequence => new SleepCommand(sequence) { Due = time }).Task;
    }

    /// <summary>Waits for an event. Events that arrive before the workflow waits are kept, in order; each is read once.</summary>
    /// <typeparam name="T">The event's type. Events of another type stay unread.</typeparam>
    /// <param name="name">The event's name.</param>
    /// <param name="timeout">Maximum wait; null waits indefinitely.</param>
    /// <returns>The event.</returns>
    /// <exception cref="TimeoutException">The event did not arrive in time.</exception>
    /// <exception cref="OperationCanceledException">The workflow was canceled.</exception>
    public Task<T> WaitForEvent<T>(string name, TimeSpan? timeout = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return _instance.Register(sequence => new EventCommand<T>(sequence, name) { Due = DueAfter(timeout) }).Task;
    }

    /// <summary>Waits until a condition on the fields of the workflow is true, which signals change.</summary>
    /// <param name="condition">The condition; evaluated after each entry of the log. It must not change anything.</param>
    /// <param name="timeout">Maximum wait; null waits indefinitely.</param>
    /// <returns>False if the condition was not true in time.</returns>
    /// <exception cref="OperationCanceledException">The workflow was canceled.</exception>
    public Task<bool> WaitUntil(Func<bool> condition, TimeSpan? timeout = null)
    {
        ArgumentNullException.ThrowIfNull(condition);
        return _instance.Register(sequence => new ConditionCommand(sequence, condition) { Due = DueAfter(timeout) }).Task;
    }

    /// <summary>Runs a lambda as a step: a task of the cluster in this process, whose result is logged.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="name">The step's name in the log.</param>
    /// <param name="body">The step. Unlike workflow code it may do anything.</param>
    /// <param name="options">Options; <see cref="StepOptions.Isolation"/> is ignored.</param>
    /// <returns>The result.</returns>
    /// <exception cref="WorkflowStepException">The step failed, after its retries.</exception>
    /// <exception cref="OperationCanceledException">The workflow was canceled.</exception>
    public Task<T> Step<T>(string name, Func<StepContext, CancellationToken, Task<T>> body, StepOptions? options = null) =>
        Unwrap(TryStep(name, body, options), name);

    /// <summary>Runs a lambda without a result as a step.</summary>
    /// <param name="name">The step's name in the log.</param>
    /// <param name="body">The step.</param>
    /// <param name="options">Options; <see cref="StepOptions.Isolation"/> is ignored.</param>
    /// <returns>A task that completes when the step has ended.</returns>
    /// <exception cref="WorkflowStepException">The step failed, after its retries.</exception>
    public Task Step(string name, Func<StepContext, CancellationToken, Task> body, StepOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(body);
        return Step<object?>(
            name, async (step, stop) =>
            {
                await body(step, stop).ConfigureAwait(false);
                return null;
            },
            options);
    }

    /// <summary>Runs a lambda as a step and returns its result or its error.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="name">The step's name in the log.</param>
    /// <param name="body">The step.</param>
    /// <param name="options">Options; <see cref="StepOptions.Isolation"/> is ignored.</param>
    /// <returns>The result or the error.</returns>
    public Task<StepResult<T>> TryStep<T>(string name, Func<StepContext, CancellationToken, Task<T>> body, StepOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(body);
        return Start<T>(new LambdaStepCall<T>(name, body, options ?? new()));
    }

    /// <summary>Runs a step. For generated code.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="definition">The step.</param>
    /// <param name="options">Options of the call; null for none.</param>
    /// <param name="arguments">The arguments, with null for a <see cref="StepContext"/>.</param>
    /// <returns>The result.</returns>
    [System.ComponentModel.EditorBrowsable(System.ComponentModel.EditorBrowsableState.Never)]
    public Task<T> RunStep<T>(StepDefinition definition, StepOptions? options, params object?[] arguments)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return Unwrap(TryRunStep<T>(definition, options, arguments), options?.Name ?? definition.Function.Method);
    }

    /// <summary>Runs a step and returns its result or its error. For generated code.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="definition">The step.</param>
    /// <param name="options">Options of the call; null for none.</param>
    /// <param name="arguments">The arguments, with null for a <see cref="StepContext"/>.</param>
    /// <returns>The result or the error.</returns>
    [System.ComponentModel.EditorBrowsable(System.ComponentModel.EditorBrowsableState.Never)]
    public Task<StepResult<T>> TryRunStep<T>(StepDefinition definition, StepOptions? options, params object?[] arguments)
    {
        ArgumentNullException.ThrowIfNull(definition);
        return GraphInterpreter.IsContinuation(definition.ResultType)
            ? GraphInterpreter.RunContinuation<T>(this, definition, options, arguments)
            : Start<T>(definition.CreateCall(arguments, (options ?? new()).Or(definition.Defaults)));
    }

    /// <summary>Runs a child workflow and waits for its result. The child has an id and a history of its own, and is canceled with its parent.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="workflow">The name of its definition.</param>
    /// <param name="options">Options; the default id is the parent's id and the number of the command.</param>
    /// <param name="arguments">The arguments.</param>
    /// <returns>The result.</returns>
    /// <exception cref="WorkflowStepException">The child failed, was canceled, or could not be started.</exception>
    public Task<T> RunChild<T>(string workflow, WorkflowStartOptions? options, params object?[] arguments)
    {
        var definition = WorkflowRegistry.Find(workflow) ?? throw WorkflowHost.UnknownWorkflow(workflow);
        var input = _engine.Json.WriteArguments(arguments, definition.ParameterTypes, $"Workflow '{workflow}'");
        if (options?.Id is { } id)
            WorkflowHost.ValidateId(id);
        return _instance.Register(sequence => new ChildCommand<T>(sequence, definition.Name, options?.Id ?? ChildId(sequence), input, options?.Metadata ?? [])).Task;
    }

    /// <summary>Runs a graph of bound functions; each function is a step of this workflow.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="graph">The graph.</param>
    /// <returns>The result.</returns>
    public Task<T> RunGraph<T>(WorkflowNode<T> graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        _instance.ThrowIfOutside();
        return GraphInterpreter.Run<T>(this, GraphDocument.Of(graph, _engine.Json));
    }

    /// <summary>
    /// Returns whether this workflow takes the new path of a changed workflow: true for workflows that reach this point for the first time, false for those whose log was written by the old code.
    /// </summary>
    /// <param name="name">The change's name.</param>
    /// <returns>Whether to take the new path; always the same for one workflow.</returns>
    public bool Patched(string name)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        return _instance.IsPatched(name);
    }

    /// <summary>Creates the exception that ends this run and starts the next one with an empty history: <c>throw ctx.ContinueAsNew(state);</c>. Unread events are kept.</summary>
    /// <param name="arguments">The arguments of the next run.</param>
    /// <returns>The exception to throw.</returns>
    public ContinueAsNewException ContinueAsNew(params object?[] arguments)
    {
        _instance.ThrowIfOutside();
        return new(arguments);
    }

    internal WorkflowJson Json => _engine.Json;

    internal int MaxDepth => _engine.Options.MaxDepth;

    internal Task<StepResult<T>> Start<T>(StepCall call)
    {
        call.Options.Validate();
        _instance.ThrowIfOutside();
        var name = _instance.UniqueStepName(call.Name);
        return _instance.Register(sequence => new StepCommand<T>(sequence, name, call)).Task;
    }

    private static async Task<T> Unwrap<T>(Task<StepResult<T>> pending, string name)
    {
        // On the workflow's context: the code that awaits this must run in its turn.
        var result = await pending;
        return result.Error is { } error ? throw new WorkflowStepException(name, error) : result.Value!;
    }

    private DateTimeOffset? DueAfter(TimeSpan? timeout) => timeout is { } wait ? WorkflowEngine.Later(Now, wait) : null;

    private string ChildId(int sequence)
    {
        var id = Run == 1
            ? string.Create(CultureInfo.InvariantCulture, $"{Id}:{sequence}")
            : string.Create(CultureInfo.InvariantCulture, $"{Id}:r{Run}:{sequence}");

        // Ids of deeply nested children would exceed the limit.
        return id.Length <= 100 ? id : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(id)).AsSpan(0, 16));
    }

    private byte[] Hash(string purpose) => SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Id}/{Run}/{purpose}")));
}
