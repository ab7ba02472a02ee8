using System.Reflection;

namespace Serve.Runtime.CoreActors;

/// <summary>An order to a worker that is no call: to make an actor, to end it. Nobody holds its ref; it tells by a task.</summary>
internal sealed class ActorLifecycleCommand(ActorRecord actor, string method, ActorInstanceFactory? construct, IReadOnlyList<int> gpuIds) : IActorCallAttempt
{
    /// <summary>Creates the actor.</summary>
    public const string Construct = ".ctor";

    /// <summary>Disposes the actor.</summary>
    public const string End = "~";

    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Ended => _ended.Task;

    public ObjectRef Reference { get; } = new ObjectRef<object?>(actor.Cluster, actor.NextId());

    public ObjectId Id => Reference.Id;

    public string Name => $"{actor.Construct.Type.Name}{method}";

    public RemoteFunction? Function => null;

    public string? ActorId => actor.Id.Value;

    public string Method => method;

    public ObjectId? Parent => null;

    public int Attempt => 1;

    public CancellationToken StopToken => construct is null ? CancellationToken.None : actor.DeathToken;

    public bool IsStream => false;

    public IReadOnlyList<int> GpuIds => gpuIds;

    public string? ConcurrencyGroup => null;

    public object?[] GetArguments() => construct?.GetArguments() ?? [];

    public IReadOnlyList<ParameterInfo> ParametersFor(int count) => construct is null ? [] : ConstructorSelector.ParametersFor(construct.Type, count);

    public void ReportStarted(string? workerId)
    {
    }

    public void ReportResult(StoredObject result) => _ended.TrySetResult();

    public void ReportStreamEnd() => _ended.TrySetResult();

    public ValueTask ReportItemAsync(StoredObject item) => ValueTask.CompletedTask;

    public void ReportFailure(Exception failure, bool isSystem) => _ended.TrySetException(failure);

    public void OnLost(string reason) => _ended.TrySetException(new WorkerDiedException($"The worker of actor {actor} died. {reason}"));
}
