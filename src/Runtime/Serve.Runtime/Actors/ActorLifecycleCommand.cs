using System.Reflection;

namespace Serve.Runtime.Actors;

/// <summary>A command to a worker that is not a call: create an actor or end it. No reference to its result exists; its outcome is a task.</summary>
public sealed class ActorLifecycleCommand(ActorCallQueue calls, string method, ActorInstanceFactory? factory, IReadOnlyList<int> gpuIds) : IActorCallAttempt
{
    /// <summary>Creates the actor.</summary>
    public const string Construct = ".ctor";

    /// <summary>Disposes the actor.</summary>
    public const string End = "~";

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Ended => _ended.Task;

    public ObjectRef Reference { get; } = new ObjectRef<object?>(calls.Cluster, calls.NextId());

    public ObjectId Id => Reference.Id;

    public string Name => $"{calls.Factory.Type.Name}{method}";

    public RemoteFunction? Function => null;

    public string? ActorId => calls.Actor.Id.Value;

    public string Method => method;

    public ObjectId? Parent => null;

    public int Attempt => 1;

    public CancellationToken StopToken => factory is null ? CancellationToken.None : calls.Actor.DeathToken;

    public bool IsStream => false;

    public IReadOnlyList<int> GpuIds => gpuIds;

    public string? ConcurrencyGroup => null;

    public object?[] GetArguments() => factory?.GetArguments() ?? [];

    public IReadOnlyList<ParameterInfo> ParametersFor(int count) => factory is null ? [] : ConstructorSelector.ParametersFor(factory.Type, count);

    public void ReportStarted(string? workerId)
    {
    }

    public void ReportResult(StoredObject result) => _ended.TrySetResult();

    public void ReportStreamEnd() => _ended.TrySetResult();

    public ValueTask ReportItemAsync(StoredObject item) => ValueTask.CompletedTask;

    public void ReportFailure(Exception failure, bool isSystem) => _ended.TrySetException(failure);

    public void OnLost(string reason) => _ended.TrySetException(new WorkerDiedException($"The worker of actor {calls.Actor} died. {reason}"));
}
