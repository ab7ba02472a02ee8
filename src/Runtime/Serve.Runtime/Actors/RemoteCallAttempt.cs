using System.Reflection;
using Serve.Runtime.Tasks;

namespace Serve.Runtime.Actors;

/// <summary>One attempt of a call in a worker; answers to an earlier attempt are ignored by its number.</summary>
internal sealed class RemoteCallAttempt<TResult>(PendingActorCall<TResult> call, WorkerActorIncarnation incarnation, int attempt) : IActorCallAttempt
{
    private int _items;
    private TaskContext? _context;

    public ObjectRef Reference => call;

    public ObjectId Id => call.Id;

    public string Name => $"{call.Queue.Factory.Type.Name}.{call.Title}";

    public RemoteFunction? Function => null;

    public string? ActorId => call.Queue.Actor.Id.Value;

    public string Method => call.Method;

    public ObjectId? Parent => call.Parent;

    public int Attempt => attempt + 1;

    public CancellationToken StopToken => call.Stop;

    public TaskContext? Context => _context ??= call.BeginContext(attempt);

    public bool IsStream => call.IsStream;

    public int ItemWindow => call.ItemWindow;

    public IReadOnlyList<int> GpuIds => [];

    public string? ConcurrencyGroup => call.Plan.Group;

    public object?[] GetArguments() => call.GetArguments();

    public IReadOnlyList<ParameterInfo> ParametersFor(int count) => call.Queue.Methods.Find(call.Method, count).Parameters;

    public void ReportStarted(string? workerId)
    {
    }

    public void ReportResult(StoredObject result) => call.OnRemoteEnd(attempt, result, null);

    public void ReportStreamEnd() => call.OnRemoteEnd(attempt, null, null);

    public ValueTask ReportItemAsync(StoredObject item) => call.TakeItemAsync(item, _items++);

    public void ReportFailure(Exception failure, bool isSystem) => call.OnRemoteEnd(attempt, null, failure);

    public void OnLost(string reason)
    {
        // The actor handles the calls that it has registered; a call that was just being sent is handled here.
        incarnation.OnLost(reason);
        call.OnLost(attempt, reason);
    }
}
