using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Tests.Sessions;

/// <summary>An attempt that keeps what it is told.</summary>
internal sealed class FakeAttempt<T>(HeadCluster cluster, RemoteFunction function, params object?[] arguments) : ITaskAttempt
{
    private readonly ObjectRef<T> reference = new(cluster, cluster.NextId());

    public Task<T> Result => reference.AsTask();

    public CancellationTokenSource Cancellation { get; } = new();

    public bool? IsSystem { get; private set; }

    public string? WorkerId { get; private set; }

    public ObjectRef Reference => reference;

    public ObjectId Id => reference.Id;

    public string Name => function.Name;

    public RemoteFunction? Function => function;

    public string? ActorId => null;

    public string Method => function.Method;

    public ObjectId? Parent => null;

    public int Attempt => 1;

    public CancellationToken Stop => Cancellation.Token;

    public bool IsStream => false;

    public TaskContext? Context { get; init; }

    public IReadOnlyList<int> GpuIds => [];

    public object?[] GetArguments() => arguments;

    public void Started(string? workerId) => WorkerId = workerId;

    public void Succeeded(StoredObject result) => reference.TrySetStored(result);

    public void Completed() => throw new NotSupportedException();

    public ValueTask ItemAsync(StoredObject item) => throw new NotSupportedException();

    public void Failed(Exception failure, bool isSystem)
    {
        IsSystem = isSystem;
        reference.TrySetException(failure);
    }
}
