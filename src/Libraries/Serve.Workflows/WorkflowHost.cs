using System.Runtime.CompilerServices;
using System.Text.Json;
using Serve.Hosting;
using Serve.Workflows.Api;
using Serve.Workflows.Definitions;
using Serve.Workflows.Execution;
using Serve.Workflows.Graphs;
using Serve.Workflows.Storage;

namespace Serve.Workflows;

/// <summary>
/// Runs durable workflows on a cluster. Created by <c>cluster.StartWorkflows(…)</c>, which resumes all open workflows. The source generator adds a starter for each class with
/// <see cref="WorkflowAttribute"/>. Disposing the host stops its workflows; they stay open and continue at the next start. All members are thread-safe.
/// </summary>
public sealed class WorkflowHost : IAsyncDisposable
{
    private const int MaxIdLength = 200;
    private const int ListPage = 500;

    private readonly WorkflowEngine _engine;
    private LocalApiPublisher? _published;

    internal WorkflowHost(Cluster cluster, WorkflowOptions options)
    {
        GraphInterpreter.Register();
        WorkflowRegistry.ThrowIfAmbiguous();
        _engine = new(cluster, options);
    }

    /// <summary>Gets why the store does not accept commits at the moment, for example because the disk is full; null if it does. Workflows wait and lose nothing.</summary>
    public string? StorageFault => _engine.Commits.Fault;

    /// <summary>Gets the number of workflows in memory.</summary>
    public int InMemory => _engine.InMemory;

    /// <summary>Gets the cluster that runs the steps.</summary>
    public Cluster Cluster => _engine.Cluster;

    internal WorkflowEngine Engine => _engine;

    /// <summary>Starts a workflow. If one with the same id, class and input is open, attaches to it; an ended one is not repeated.</summary>
    /// <typeparam name="TWorkflow">The class.</typeparam>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="options">Options; null for none.</param>
    /// <param name="arguments">The arguments of <c>Run</c>.</param>
    /// <returns>A handle, when the workflow is durable.</returns>
    /// <exception cref="WorkflowExistsException">A workflow with this id exists and is another one, or is open with another input.</exception>
    public async Task<WorkflowHandle<TWorkflow, TResult>> Start<TWorkflow, TResult>(WorkflowStartOptions? options, params object?[] arguments)
        where TWorkflow : class
    {
        var definition = WorkflowRegistry.Find(typeof(TWorkflow)) ?? throw UnknownWorkflow(typeof(TWorkflow).Name);
        return new(this, await StartAsync(WorkflowRegistry.Find(definition.Name)!, options, arguments).ConfigureAwait(false));
    }

    /// <summary>Starts a workflow by the name of its definition.</summary>
    /// <param name="workflow">The name.</param>
    /// <param name="options">Options; null for none.</param>
    /// <param name="arguments">The arguments of <c>Run</c>.</param>
    /// <returns>A handle, when the workflow is durable.</returns>
    /// <exception cref="WorkflowNotFoundException">This program has no workflow of this name.</exception>
    /// <exception cref="WorkflowExistsException">A workflow with this id exists and is another one, or is open with another input.</exception>
    public async Task<WorkflowHandle> Start(string workflow, WorkflowStartOptions? options, params object?[] arguments) =>
        new(this, await StartAsync(WorkflowRegistry.Find(workflow) ?? throw UnknownWorkflow(workflow), options, arguments).ConfigureAwait(false));

    /// <summary>Starts a workflow by the name of its definition with arguments as JSON.</summary>
    /// <param name="workflow">The name.</param>
    /// <param name="options">Options; null for none.</param>
    /// <param name="arguments">The arguments of <c>Run</c> as a JSON array.</param>
    /// <returns>A handle, when the workflow is durable.</returns>
    /// <exception cref="WorkflowNotFoundException">This program has no workflow of this name.</exception>
    /// <exception cref="WorkflowExistsException">A workflow with this id exists and is another one, or is open with another input.</exception>
    /// <exception cref="ArgumentException">The arguments do not fit.</exception>
    public async Task<WorkflowHandle> StartJson(string workflow, WorkflowStartOptions? options, string arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var definition = WorkflowRegistry.Find(workflow) ?? throw UnknownWorkflow(workflow);
        try
        {
            return new(this, await StartAsync(definition, options, _engine.Json.ReadArguments(arguments, definition.ParameterTypes, isStrict: true)).ConfigureAwait(false));
        }
        catch (JsonException failure)
        {
            throw new ArgumentException($"The arguments of workflow '{workflow}' do not fit: {failure.Message}", nameof(arguments), failure);
        }
    }

    /// <summary>Starts a graph of bound functions as a workflow; Ray's <c>run_async</c>.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="graph">The graph.</param>
    /// <param name="id">The workflow's id. Starting the same graph with the same id again attaches to it. Default: a new unique id.</param>
    /// <param name="metadata">Metadata for lists. Default: none.</param>
    /// <returns>A handle, when the workflow is durable.</returns>
    public async Task<WorkflowHandle<T>> RunAsync<T>(WorkflowNode<T> graph, string? id = null, Dictionary<string, string>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var document = GraphDocument.Of(graph, _engine.Json);
        var options = new WorkflowStartOptions { Id = id, Metadata = metadata ?? [] };
        return new(this, await StartAsync(WorkflowRegistry.Find(GraphInterpreter.WorkflowName)!, options, [document]).ConfigureAwait(false));
    }

    /// <summary>Runs a graph of bound functions as a workflow and waits for its result; Ray's <c>run</c>.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="graph">The graph.</param>
    /// <param name="id">The workflow's id. Default: a new unique id.</param>
    /// <param name="metadata">Metadata for lists. Default: none.</param>
    /// <param name="cancellationToken">Cancels the wait, but not the workflow.</param>
    /// <returns>The result.</returns>
    public async Task<T> Run<T>(WorkflowNode<T> graph, string? id = null, Dictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        var handle = await RunAsync(graph, id, metadata).ConfigureAwait(false);
        return await handle.GetResult(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gets a handle to a workflow.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>The handle.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    public WorkflowHandle GetHandle(string id) => new(this, Find(id).Id);

    /// <summary>Gets a typed handle to a workflow.</summary>
    /// <typeparam name="TWorkflow">Its class.</typeparam>
    /// <typeparam name="TResult">Its result type.</typeparam>
    /// <param name="id">Its id.</param>
    /// <returns>The handle.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    public WorkflowHandle<TWorkflow, TResult> GetHandle<TWorkflow, TResult>(string id)
        where TWorkflow : class => new(this, Find(id).Id);

    /// <summary>Waits for the end of a workflow and returns its result, or returns the logged result of one of its steps.</summary>
    /// <typeparam name="T">The result type.</typeparam>
    /// <param name="id">The workflow's id.</param>
    /// <param name="step">The name of a step, for example <c>BookFlight_1</c>; null for the workflow's result.</param>
    /// <param name="cancellationToken">Cancels the wait, but not the workflow.</param>
    /// <returns>The result.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id, or no step of this name has ended.</exception>
    /// <exception cref="WorkflowFailedException">The workflow failed.</exception>
    /// <exception cref="WorkflowCanceledException">The workflow was canceled.</exception>
    /// <exception cref="WorkflowBlockedException">The workflow cannot continue until its code has been fixed.</exception>
    public async Task<T> GetOutput<T>(string id, string? step = null, CancellationToken cancellationToken = default) =>
        _engine.Json.Read<T>(await ReadOutputAsync(id, step, cancellationToken).ConfigureAwait(false))!;

    /// <summary>Returns the same as <see cref="GetOutput"/> as JSON; <c>null</c> for a workflow without a result.</summary>
    /// <inheritdoc cref="GetOutput"/>
    public async Task<string> GetOutputJson(string id, string? step = null, CancellationToken cancellationToken = default) =>
        await ReadOutputAsync(id, step, cancellationToken).ConfigureAwait(false) ?? "null";

    /// <summary>Gets the status of a workflow.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>The status.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    public WorkflowStatus GetStatus(string id) => Find(id).Status;

    /// <summary>Gets the times, status and metadata of a workflow.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>The workflow.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    public WorkflowInfo GetMetadata(string id) => ToInfo(Find(id));

    /// <summary>Gets the times, attempts and metadata of an ended step.</summary>
    /// <param name="id">The workflow's id.</param>
    /// <param name="step">The step's name.</param>
    /// <returns>The step.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id, or no step of this name has ended.</exception>
    public WorkflowHistoryEntry GetStep(string id, string step) => ToEntry(StepRow(id, step));

    /// <summary>Gets the history of the current run of a workflow.</summary>
    /// <param name="id">Its id.</param>
    /// <returns>The entries in order.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    public IReadOnlyList<WorkflowHistoryEntry> GetHistory(string id) => [.. _engine.Store.ReadHistory(Find(id).Id).Select(ToEntry)];

    /// <summary>Lists workflows in order of their ids.</summary>
    /// <param name="status">Only workflows with this status; null for all.</param>
    /// <param name="where">Only workflows with this metadata; null for all.</param>
    /// <param name="after">Only workflows with ids after this one. Default: all.</param>
    /// <param name="cancellationToken">Cancels the enumeration.</param>
    /// <returns>The workflows.</returns>
    public async IAsyncEnumerable<WorkflowInfo> List(
        WorkflowStatus? status = null, IReadOnlyDictionary<string, string>? where = null, string after = "", [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var page = await Task.Run(() => _engine.Store.List(status, after, ListPage), cancellationToken).ConfigureAwait(false);
            foreach (var info in page.Select(ToInfo).Where(info => where is null || where.All(pair => info.Metadata.TryGetValue(pair.Key, out var value) && value == pair.Value)))
                yield return info;
            if (page.Count < ListPage)
                yield break;
            after = page[^1].Id;
        }
    }

    /// <summary>Sends an event to a workflow. Completes when the event is durable; the workflow reads it when it waits for an event of this name.</summary>
    /// <typeparam name="T">The event's type.</typeparam>
    /// <param name="id">The workflow's id.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="payload">The event.</param>
    /// <param name="idempotencyKey">A second event or signal with the same key is dropped. Default: none.</param>
    /// <returns>A task that completes when the event is durable.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    /// <exception cref="WorkflowStatusException">The workflow has ended.</exception>
    /// <exception cref="ArgumentException">The workflow waits for an event of this name and another type. The workflow is not affected.</exception>
    public Task SendEvent<T>(string id, string name, T payload, string? idempotencyKey = null) =>
        SendEventJson(id, name, _engine.Json.Write(payload, typeof(T), $"Event '{name}'"), idempotencyKey);

    /// <summary>Sends an event whose payload is JSON.</summary>
    /// <param name="id">The workflow's id.</param>
    /// <param name="name">The event's name.</param>
    /// <param name="json">The event as JSON.</param>
    /// <param name="idempotencyKey">A second event or signal with the same key is dropped. Default: none.</param>
    /// <returns>Whether the event was accepted; false if an event with the same key was accepted before.</returns>
    /// <inheritdoc cref="SendEvent"/>
    public async Task<bool> SendEventJson(string id, string name, string json, string? idempotencyKey = null)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(json);
        ValidateJson(json, $"Event '{name}'");
        if (Find(id) is { Status: WorkflowStatus.Running } record && _engine.Store.IsOwned(record) && await FindMismatchAsync(id, name, json).ConfigureAwait(false) is { } mismatch)
            throw new ArgumentException(mismatch, nameof(json));
        return await DeliverAsync(id, HistoryKind.Event, name, json, idempotencyKey).ConfigureAwait(false);
    }

    /// <summary>Sends a signal by name.</summary>
    /// <param name="id">The workflow's id.</param>
    /// <param name="name">The name of a method with <see cref="SignalAttribute"/>.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="idempotencyKey">A second signal or event with the same key is dropped. Default: none.</param>
    /// <returns>A task that completes when the signal is durable.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id, or it has no such signal.</exception>
    /// <exception cref="WorkflowStatusException">The workflow has ended.</exception>
    /// <exception cref="ArgumentException">The arguments do not fit. The workflow is not affected.</exception>
    public Task Signal(string id, string name, IReadOnlyList<object?> arguments, string? idempotencyKey = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        return DeliverAsync(id, HistoryKind.Signal, name, _engine.Json.WriteArguments(arguments, SignalTypes(id, name), $"Signal '{name}'"), idempotencyKey);
    }

    /// <summary>Sends a signal whose arguments are JSON.</summary>
    /// <param name="id">The workflow's id.</param>
    /// <param name="name">The name of a method with <see cref="SignalAttribute"/>.</param>
    /// <param name="json">Its arguments as a JSON array.</param>
    /// <param name="idempotencyKey">A second signal or event with the same key is dropped. Default: none.</param>
    /// <returns>A task that completes when the signal is durable.</returns>
    /// <inheritdoc cref="Signal"/>
    public Task SignalJson(string id, string name, string json, string? idempotencyKey = null)
    {
        ArgumentNullException.ThrowIfNull(json);
        var types = SignalTypes(id, name);
        try
        {
            _engine.Json.ReadArguments(json, types, isStrict: true);
        }
        catch (JsonException failure)
        {
            throw new ArgumentException($"The arguments of signal '{name}' do not fit: {failure.Message}", nameof(json), failure);
        }

        return DeliverAsync(id, HistoryKind.Signal, name, json, idempotencyKey);
    }

    /// <summary>Calls a query by name.</summary>
    /// <param name="id">The workflow's id.</param>
    /// <param name="name">The name of a method with <see cref="QueryAttribute"/>.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <returns>The answer as JSON. An ended workflow answers from its log.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id, or it has no such query.</exception>
    public Task<string> Query(string id, string name, params object?[] arguments)
    {
        var record = Find(id);
        var method = (WorkflowRegistry.Find(record.Name, record.Version) ?? throw UnknownWorkflow(record.Name)).QueryOf(name);
        return Ask(id, workflow => _engine.Json.Write(WorkflowDefinition.Invoke(method, workflow, arguments), method.ReturnType, $"The answer of query '{name}'"));
    }

    /// <summary>
    /// Cancels a workflow: its running steps and child workflows are canceled, and its code receives an <see cref="OperationCanceledException"/>, which it may catch to run compensating steps for
    /// <see cref="WorkflowOptions.CancelGrace"/>. Logged results are kept.
    /// </summary>
    /// <param name="id">The workflow's id.</param>
    /// <param name="reason">The reason.</param>
    /// <returns>A task that completes when the request is durable.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    /// <exception cref="WorkflowStatusException">The workflow has ended.</exception>
    public async Task Cancel(string id, string reason = "it was canceled by its owner")
    {
        ArgumentNullException.ThrowIfNull(reason);
        var record = Find(id);
        if (record.Status == WorkflowStatus.Blocked)
        {
            // Its code cannot run, so there is nothing to compensate.
            var end = new EndWrite(id, record.Run, WorkflowStatus.Canceled, null, new(typeof(WorkflowCanceledException).FullName!, reason), _engine.Clock.Now)
            {
                Committed = write =>
                {
                    if (((EndWrite)write).ParentRow is { } row)
                        _engine.Deliver(row);
                },
            };
            await _engine.Commits.WriteAsync(end).ConfigureAwait(false);
            return;
        }

        await DeliverAsync(id, HistoryKind.CancelRequested, "", JsonSerializer.Serialize(reason), null).ConfigureAwait(false);
    }

    /// <summary>
    /// Resumes a failed, canceled or blocked workflow; interrupted ones resume by themselves. A failed one repeats its last failed step and everything after it, a canceled one everything after the
    /// cancellation.
    /// </summary>
    /// <param name="id">The workflow's id.</param>
    /// <returns>A task that completes when the change is durable.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    /// <exception cref="WorkflowStatusException">The workflow runs, or has ended successfully.</exception>
    public async Task Resume(string id)
    {
        var write = new ResumeWrite(id) { Committed = done => WakeResumed((ResumeWrite)done) };
        await _engine.Commits.WriteAsync(write).ConfigureAwait(false);
        switch (write.Before?.Status)
        {
            case null:
                throw NotFound(id);
            case WorkflowStatus.Running:
                throw new WorkflowStatusException($"Workflow '{id}' cannot be resumed, because it is running. Interrupted workflows resume by themselves.");
            case WorkflowStatus.Successful:
                throw new WorkflowStatusException($"Workflow '{id}' cannot be resumed, because it has ended successfully.");
        }
    }

    /// <summary>Resumes all blocked workflows and, if asked, all failed ones.</summary>
    /// <param name="includeFailed">Whether to resume failed workflows too. Default false.</param>
    /// <returns>The ids of the resumed workflows.</returns>
    public async Task<IReadOnlyList<string>> ResumeAll(bool includeFailed = false)
    {
        List<string> ids = [];
        foreach (var status in includeFailed ? [WorkflowStatus.Blocked, WorkflowStatus.Failed] : new[] { WorkflowStatus.Blocked })
        {
            await foreach (var info in List(status).ConfigureAwait(false))
                ids.Add(info.Id);
        }

        await Task.WhenAll(ids.Select(id => _engine.Commits.WriteAsync(new ResumeWrite(id) { Committed = done => WakeResumed((ResumeWrite)done) }))).ConfigureAwait(false);
        return ids;
    }

    /// <summary>Deletes an ended workflow with its history and results.</summary>
    /// <param name="id">The workflow's id.</param>
    /// <returns>A task that completes when the deletion is durable.</returns>
    /// <exception cref="WorkflowNotFoundException">There is no workflow with this id.</exception>
    /// <exception cref="WorkflowStatusException">The workflow is open.</exception>
    public async Task Delete(string id)
    {
        var write = new DeleteWrite(id);
        await _engine.Commits.WriteAsync(write).ConfigureAwait(false);
        switch (write.Before?.Status)
        {
            case null:
                throw NotFound(id);
            case WorkflowStatus.Running or WorkflowStatus.Blocked:
                throw new WorkflowStatusException($"Workflow '{id}' cannot be deleted, because it is open. Cancel it first.");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_published is not null)
            await _published.DisposeAsync().ConfigureAwait(false);
        await _engine.DisposeAsync().ConfigureAwait(false);
    }

    internal void Start()
    {
        _engine.Start();
        if (_engine.Options.Observable)
            _published = LocalWorkflowApi.Publish(this, _engine.Store.Name);
    }

    internal static WorkflowNotFoundException NotFound(string id) => new($"There is no workflow with id '{id}'.");

    internal static WorkflowNotFoundException UnknownWorkflow(string name) =>
        new($"This program has no workflow '{name}'. A workflow is a class with [Workflow] in an assembly that references Serve.Workflows.Generators as an analyzer.");

    /// <exception cref="ArgumentException">The id is not valid.</exception>
    internal static void ValidateId(string id)
    {
        if (id.Length is 0 or > MaxIdLength)
            throw new ArgumentException($"The id of a workflow must have 1 to {MaxIdLength} characters, but had {id.Length}.", nameof(id));
        if (id.FirstOrDefault(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('.' or '_' or ':' or '-')) is var bad && bad != default)
            throw new ArgumentException($"The id of a workflow must consist of letters, digits and . _ : -, but '{id}' contains '{bad}'.", nameof(id));
        if (id.Contains("..", StringComparison.Ordinal))
            throw new ArgumentException($"The id of a workflow must not contain '..', but was '{id}'.", nameof(id));
    }

    /// <summary>Runs a function on the object of a workflow; an ended one is rebuilt from its log.</summary>
    internal async Task<T> Ask<T>(string id, Func<object, T> question)
    {
        while (true)
        {
            var record = Find(id);
            var instance = record.Status == WorkflowStatus.Running && _engine.Store.IsOwned(record) ? _engine.Wake(id) : new WorkflowInstance(_engine, id, isInspection: true);
            ObjectDisposedException.ThrowIf(instance is null, this);
            try
            {
                return await instance.Ask(question).ConfigureAwait(false);
            }
            catch (TaskCanceledException)
            {
                // It has just ended, or was removed from memory.
                await Task.Delay(TimeSpan.FromMilliseconds(1), _engine.Options.TimeProvider).ConfigureAwait(false);
            }
        }
    }

    private static WorkflowInfo ToInfo(WorkflowRecord record) => new(
        record.Id, record.Name, record.Version, record.Status, record.Created, record.Ended, record.Run, record.Parent, ToMetadata(record.Metadata), record.Error);

    private static Dictionary<string, string> ToMetadata(string? json) => json is null ? [] : JsonSerializer.Deserialize<Dictionary<string, string>>(json) ?? [];

    private static void ValidateJson(string json, string description)
    {
        try
        {
            using var parsed = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
        }
        catch (JsonException failure)
        {
            throw new ArgumentException($"{description} must be JSON: {failure.Message}", nameof(json), failure);
        }
    }

    private WorkflowHistoryEntry ToEntry(HistoryRow row) => new(
        row.Position, row.Kind, row.Name, row.Started, row.At, row.Attempts, ToMetadata(row.Metadata),
        row.Kind is HistoryKind.StepFailed or HistoryKind.ChildFailed ? WorkflowError.Parse(_engine.Payloads.Load(row.Payload!)) : null);

    private WorkflowRecord Find(string id)
    {
        ArgumentNullException.ThrowIfNull(id);
        return _engine.Store.Find(id) ?? throw NotFound(id);
    }

    private Type[] SignalTypes(string id, string name)
    {
        var record = Find(id);
        var definition = WorkflowRegistry.Find(record.Name, record.Version) ?? throw UnknownWorkflow(record.Name);
        return [.. definition.SignalOf(name).GetParameters().Select(parameter => parameter.ParameterType)];
    }

    private HistoryRow StepRow(string id, string step) =>
        _engine.Store.ReadHistory(Find(id).Id).FirstOrDefault(row => row.Name == step && row.Kind is HistoryKind.StepCompleted or HistoryKind.StepNotStored or HistoryKind.StepFailed)
        ?? throw new WorkflowNotFoundException($"Workflow '{id}' has no ended step '{step}'.");

    private async Task<string?> ReadOutputAsync(string id, string? step, CancellationToken cancellationToken)
    {
        if (step is not null)
            return StepOutput(id, step);
        var record = await _engine.WaitForEndAsync(id, cancellationToken).ConfigureAwait(false);
        var error = record.Error ?? new("", "the reason is unknown");
        return record.Status switch
        {
            WorkflowStatus.Successful => record.Output is { } payload ? _engine.Payloads.Load(payload) : null,
            WorkflowStatus.Failed => throw new WorkflowFailedException(id, error),
            WorkflowStatus.Canceled => throw new WorkflowCanceledException(id, error.Message),
            _ => throw new WorkflowBlockedException(id, error),
        };
    }

    private string StepOutput(string id, string step)
    {
        var row = StepRow(id, step);
        return row.Kind switch
        {
            HistoryKind.StepFailed => throw new WorkflowStepException(step, WorkflowError.Parse(_engine.Payloads.Load(row.Payload!))),
            HistoryKind.StepNotStored => throw new WorkflowNotFoundException($"The result of step '{step}' of workflow '{id}' is not stored (Checkpoint = false)."),
            _ => _engine.Payloads.Load(row.Payload!),
        };
    }

    private async Task<string> StartAsync(WorkflowDefinition definition, WorkflowStartOptions? options, object?[] arguments)
    {
        var id = options?.Id ?? Guid.NewGuid().ToString("N");
        ValidateId(id);
        var input = _engine.Payloads.Store(_engine.Json.WriteArguments(arguments, definition.ParameterTypes, $"Workflow '{definition.Name}'"), $"The input of workflow '{id}'");
        var write = new StartWrite(new()
        {
            Id = id,
            Name = definition.Name,
            Version = definition.Version,
            Input = input,
            Created = _engine.Clock.Now,
            Metadata = JsonSerializer.Serialize(options?.Metadata ?? []),
        })
        {
            Committed = done =>
            {
                _engine.Payloads.Release(input);
                var existing = ((StartWrite)done).Existing;
                if (existing is null)
                    WorkflowMetrics.Started.Add(1);

                // Also an existing one: the first attempt of a repeated commit may have inserted it.
                if ((existing?.Status ?? WorkflowStatus.Running) == WorkflowStatus.Running)
                    _engine.Wake(id);
            },
        };
        await _engine.Commits.WriteAsync(write).ConfigureAwait(false);
        if (write.Existing is { } existing)
            CheckSame(existing, definition, input);
        return id;
    }

    private static void CheckSame(WorkflowRecord existing, WorkflowDefinition definition, string input)
    {
        if (existing.Name != definition.Name)
            throw new WorkflowExistsException($"Workflow '{existing.Id}' exists and is a '{existing.Name}', not a '{definition.Name}'. Choose another id.");
        if (existing.Status is WorkflowStatus.Running or WorkflowStatus.Blocked && existing.Run == 1 && existing.Input != input)
            throw new WorkflowExistsException($"Workflow '{existing.Id}' is open and was started with another input. Choose another id.");
    }

    private async Task<string?> FindMismatchAsync(string id, string name, string json)
    {
        try
        {
            return _engine.Wake(id) is { } instance ? await instance.Ask(_ => instance.FindEventMismatch(name, json)).ConfigureAwait(false) : null;
        }
        catch (Exception failure) when (failure is TaskCanceledException or WorkflowNotFoundException)
        {
            // It has just ended, is blocked, or was removed from memory; the store decides.
            return null;
        }
    }

    private async Task<bool> DeliverAsync(string id, HistoryKind kind, string name, string json, string? idempotencyKey)
    {
        var payload = _engine.Payloads.Store(json, kind == HistoryKind.Event ? $"Event '{name}'" : $"Signal '{name}'");
        var row = new HistoryRow { WorkflowId = id, Run = 0, Kind = kind, Name = name, Payload = payload, At = _engine.Clock.Now };
        var write = new DeliverWrite(row, idempotencyKey)
        {
            Committed = done =>
            {
                _engine.Payloads.Release(payload);
                if (((DeliverWrite)done).Outcome == DeliveryOutcome.Accepted)
                    _engine.Deliver(row);
            },
        };
        await _engine.Commits.WriteAsync(write).ConfigureAwait(false);
        return write.Outcome switch
        {
            DeliveryOutcome.NotFound => throw NotFound(id),
            DeliveryOutcome.Ended => throw new WorkflowStatusException($"Workflow '{id}' has ended and accepts no events, signals or cancellation."),
            var outcome => outcome == DeliveryOutcome.Accepted,
        };
    }

    private void WakeResumed(ResumeWrite write)
    {
        if (write.Before is { Status: WorkflowStatus.Failed or WorkflowStatus.Canceled or WorkflowStatus.Blocked })
            _engine.Wake(write.WorkflowId);
    }
}
