using System.Reflection;
using Serve.Calls;
using Serve.Replica.Definitions;
using Serve.Replica.Telemetry;
using Serve.Runtime;

namespace Serve.Replica.Batching;

/// <summary>A method with <see cref="BatchAttribute"/> of a live object: its queue, and the facade that callers use.</summary>
internal abstract class BatchedMethod(BatchMethodDefinition method, object target, BatchMethodContext host) : IDisposable
{
    private object? _facade;
    private MethodInfo? _entry;

    /// <summary>Definition of the method.</summary>
    public BatchMethodDefinition Declared => method;

    public string Name => method.Method.Name;

    /// <summary>Method of <see cref="Facade"/> that callers call, with one item and one result.</summary>
    public MethodInfo Entry => _entry ?? Emit().Entry;

    public object Facade => _facade ?? Emit().Facade;

    /// <summary>Number of queued items.</summary>
    public abstract int Length { get; }

    public abstract BatchQueueSettings Settings { get; set; }

    protected ActorTurnScheduler Turns => host.Actor.Turns;

    public static BatchedMethod Create(BatchMethodDefinition method, object target, BatchMethodContext host, IBatchQueueObserver observer)
    {
        var type = method.IsStream
            ? typeof(BatchedStreamMethod<,,>).MakeGenericType(method.ItemType, method.ListType, method.ResultType)
            : typeof(BatchedListMethod<,,,>).MakeGenericType(method.ItemType, method.ListType, method.ElementType, method.ResultType);
        return (BatchedMethod)Activator.CreateInstance(type, method, target, host, observer)!;
    }

    public abstract void Dispose();

    /// <summary>Compiles a function of the caller's arguments and a token.</summary>
    protected abstract Delegate CompileEntry();

    protected BatchQueueOptions<TItem> OptionsFor<TItem>(IBatchQueueObserver observer) => new()
    {
        Settings = method.Settings,
        SizeOf = BatchCallCompiler.CompileSize<TItem>(method, target),
        Gate = host.Actor.Gate,
        Observer = observer,
        Failed = (thrown, callers) => host.Failures.OfBatch(Name, callers, thrown),
        Time = host.Time,
        RunsElsewhere = method.Blocks,
        Aborted = host.Actor.Aborted,
    };

    /// <summary>Starts a batch within a turn: removes canceled items, sets the request context, and calls user code.</summary>
    /// <returns>Return value of user code; the default if no item is left.</returns>
    protected TReturned? Start<TItem, TResult, TReturned>(DispatchedBatch<TItem, TResult> batch, Func<TItem[], CancellationToken, TReturned> call)
    {
        if (!batch.TryStart())
            return default;
        if (host.SeesRequests || batch.Model is not null)
        {
            var urgency = batch.Urgency;
            var metadata = batch.Model is null && urgency.IsDefault ? CallContext.None : new CallContext { MultiplexedModelId = batch.Model, Urgency = urgency };
            var request = new RequestContext(metadata, batch.CancellationToken);
            batch.AtEnd = request.End;
            batch.Request = request;
            RequestContext.Current = request;
        }

        try
        {
            return call(batch.Items, Declared.TakesToken ? batch.CancellationToken : CancellationToken.None);
        }
        finally
        {
            RequestContext.Current = null;
        }
    }

    private (object Facade, MethodInfo Entry) Emit()
    {
        (_facade, _entry) = BatchFacadeFactory.Create(method, CompileEntry());
        return (_facade, _entry);
    }
}

/// <summary>Context that all batched methods of one replica share.</summary>
/// <param name="Actor">Actor context of the replica.</param>
/// <param name="Failures">Log of failed batches.</param>
/// <param name="Time">Clock.</param>
/// <param name="SeesRequests">Whether the class can access the request that it serves.</param>
internal sealed record BatchMethodContext(ActorActivationContext Actor, UserFailureLog Failures, TimeProvider Time, bool SeesRequests);
