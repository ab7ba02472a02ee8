using System.Reflection;
using Serve.Runtime.Sessions;

namespace Serve.Runtime.CoreActors;

/// <summary>An order to a worker that is no call: to make an actor, to end it. Nobody holds its ref; it tells by a task.</summary>
internal sealed class ActorOrder(CoreActor actor, string method, ActorConstruct? construct, IReadOnlyList<int> gpuIds) : IActorAttempt, IRunListener
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Ended => ended.Task;

    public ObjectRef Reference { get; } = new ObjectRef<object?>(actor.Cluster, actor.NextId());

    public ObjectId Id => Reference.Id;

    public string Name => $"{actor.Construct.Type.Name}{method}";

    public RemoteFunction? Function => null;

    public string? ActorId => actor.Id.Value;

    public string Method => method;

    public ObjectId? Parent => null;

    public int Attempt => 1;

    public CancellationToken Stop => construct is null ? CancellationToken.None : actor.Gone;

    public bool IsStream => false;

    public IReadOnlyList<int> GpuIds => gpuIds;

    public string? ConcurrencyGroup => null;

    public object?[] GetArguments() => construct?.GetArguments() ?? [];

    public IReadOnlyList<ParameterInfo> ParametersFor(int count) => construct is null ? [] : ConstructorChoice.ParametersFor(construct.Type, count);

    public void Started(string? workerId)
    {
    }

    public void Succeeded(StoredObject result) => ended.TrySetResult();

    public void Completed() => ended.TrySetResult();

    public ValueTask ItemAsync(StoredObject item) => ValueTask.CompletedTask;

    public void Failed(Exception failure, bool isSystem) => ended.TrySetException(failure);

    public void OnEnded(SentRun run, TimeSpan took)
    {
    }

    public void OnReturned(SentRun run) => ended.TrySetCanceled();

    public void OnLost(SentRun run, string reason) => ended.TrySetException(new WorkerDiedException($"The worker of actor {actor} died. {reason}"));

    public void OnWaiting(SentRun run)
    {
    }
}
