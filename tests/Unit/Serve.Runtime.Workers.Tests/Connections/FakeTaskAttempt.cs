using Serve.Runtime.Clusters;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Workers.Tests.Connections;

/// <summary>An attempt that records its reports.</summary>
internal sealed class FakeTaskAttempt<T>(DriverCluster cluster, RemoteFunction function, params object?[] arguments) : ITaskAttempt
{
    private readonly ObjectRef<T> _reference = new(cluster, cluster.NextId());

    public Task<T> Result => _reference.AsTask();

    public CancellationTokenSource Cancellation { get; } = new();

    public bool? IsSystem { get; private set; }

    public string? WorkerId { get; private set; }

    public ObjectRef Reference => _reference;

    public ObjectId Id => _reference.Id;

    public string Name => function.Name;

    public RemoteFunction? Function => function;

    public string? ActorId => null;

    public string Method => function.Method;

    public ObjectId? Parent => null;

    public int Attempt => 1;

    public CancellationToken StopToken => Cancellation.Token;

    public bool IsStream => false;

    public TaskContext? Context { get; init; }

    public IReadOnlyList<int> GpuIds => [];

    public object?[] GetArguments() => arguments;

    public void ReportStarted(string? workerId) => WorkerId = workerId;

    public void ReportResult(StoredObject result) => _reference.TrySetStored(result);

    public void ReportStreamEnd() => throw new NotSupportedException();

    public ValueTask ReportItemAsync(StoredObject item) => throw new NotSupportedException();

    public void ReportFailure(Exception failure, bool isSystem)
    {
        IsSystem = isSystem;
        _reference.TrySetException(failure);
    }
}
