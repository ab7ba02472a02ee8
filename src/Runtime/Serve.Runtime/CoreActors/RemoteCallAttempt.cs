using System.Reflection;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.CoreActors;

/// <summary>One attempt of a call in a worker; what comes back after the call has moved on is ignored by its number.</summary>
internal sealed class RemoteCallAttempt<TResult>(PendingActorCall<TResult> call, WorkerActorIncarnation life, int attempt) : IActorCallAttempt
{
    private int _items;
    private TaskContext? _context;

    public ObjectRef Reference => call;

    public ObjectId Id => call.Id;

    public string Name => $"{call.Actor.Construct.Type.Name}.{call.Title}";

    public RemoteFunction? Function => null;

    public string? ActorId => call.Actor.Id.Value;

    public string Method => call.Method;

    public ObjectId? Parent => call.Parent;

    public int Attempt => attempt + 1;

    public CancellationToken StopToken => call.Stop;

    public TaskContext? Context => _context ??= call.BeginContext(attempt);

    public bool IsStream => call.IsStream;

    public IReadOnlyList<int> GpuIds => [];

    public string? ConcurrencyGroup => call.Plan.Group;

    public object?[] GetArguments() => call.GetArguments();

    public IReadOnlyList<ParameterInfo> ParametersFor(int count) => call.Actor.Methods.Find(call.Method, count).Parameters;

    public void ReportStarted(string? workerId)
    {
    }

    public void ReportResult(StoredObject result) => call.OnRemoteEnd(attempt, result, null);

    public void ReportStreamEnd() => call.OnRemoteEnd(attempt, null, null);

    public ValueTask ReportItemAsync(StoredObject item) => call.TakeItemAsync(item, _items++);

    public void ReportFailure(Exception failure, bool isSystem) => call.OnRemoteEnd(attempt, null, failure);

    public void OnLost(string reason)
    {
        // Those that it knew of it sees to itself; one that was just being sent comes back here.
        life.OnLost(reason);
        call.OnLost(attempt, reason);
    }
}
