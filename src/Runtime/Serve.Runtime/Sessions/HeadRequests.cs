using System.Collections.Concurrent;
using System.Reflection;
using System.Text.Json;
using Serve.Runtime.Clusters;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>What workers' tasks ask of the cluster, put into effect in the head. Its state is the ids it has given out and the functions it has found.</summary>
internal sealed class HeadRequests(HeadCluster cluster)
{
    /// <summary>How many ids a session may give to objects and tasks of its own.</summary>
    private const int IdBits = 40;

    private static readonly MethodInfo KeepGeneric = typeof(HeadRequests).GetMethod(nameof(Keep), BindingFlags.NonPublic | BindingFlags.Static)!;
    private static readonly ConcurrentDictionary<Type, Func<Cluster, ObjectId, StoredObject, ObjectRef>> Keepers = new();

    private readonly ConcurrentDictionary<(string Path, string Assembly, string Type, string Method), Lazy<NestedFunction>> functions = new();
    private readonly PeerAssemblies assemblies = new();
    private long lastSession;

    public ValueCodec Codec => cluster.Codec;

    public Hello Hello() => new()
    {
        FirstId = Interlocked.Increment(ref lastSession) << IdBits,
        Print = cluster.Options.LogToDriver,
        Serializers = { cluster.Options.Serializers.Select(serializer => serializer.GetType().AssemblyQualifiedName) },
    };

    public void Receive(HeadSession session, Frame frame)
    {
        switch (frame.BodyCase)
        {
            case Frame.BodyOneofCase.Demand:
                Supply(session, frame.Demand);
                break;
            case Frame.BodyOneofCase.Put:
                Put(session, frame.Put);
                break;
            case Frame.BodyOneofCase.Taken:
                session.Supplied.Taken(frame.Taken);
                break;
            case Frame.BodyOneofCase.Function:
                session.Functions[frame.Function.Number] = Find(frame.Function);
                break;
            case Frame.BodyOneofCase.Submit:
                Submit(session, frame.Submit);
                break;
            case Frame.BodyOneofCase.Printed:
                (cluster.Output ?? Console.Out).WriteLine($"({frame.Printed.Task} pid={session.Worker.Process!.Pid}) {frame.Printed.Text}");
                break;
            case Frame.BodyOneofCase.Question:
                _ = AnswerAsync(session, frame.Question);
                break;
            case Frame.BodyOneofCase.CancelTask:
                if (session.Lent.Find(frame.CancelTask.Id) is { } cancelled)
                    cluster.Cancel(cancelled, frame.CancelTask.Force, frame.CancelTask.Recursive);
                break;
            case Frame.BodyOneofCase.Free:
                cluster.Free(frame.Free.Ids.Select(session.Lent.Find).OfType<ObjectRef>());
                break;
        }
    }

    private Lazy<NestedFunction> Find(Function named) => functions.GetOrAdd(
        (named.Path, named.Assembly, named.Type, named.Method),
        static (_, state) => new(() => new(state.Self.assemblies.FindType(state.named), state.named)),
        (Self: this, named));

    private void Submit(HeadSession session, Submit submit)
    {
        try
        {
            session.Functions[submit.Function].Value.Submit(cluster, session, submit, session.Find(submit.Parent)?.Attempt);
        }
        catch (BadInputException thrown)
        {
            var failed = new ObjectRef<object?>(cluster, new(submit.Id));
            session.Lent.Add(failed);
            failed.TrySetException(thrown);
        }
    }

    private async Task AnswerAsync(HeadSession session, Question question)
    {
        var answer = new Answer { Number = question.Number };
        try
        {
            await Task.Yield();
            using var timeline = new MemoryStream();
            if (question.Kind == nameof(Cluster.WriteTimeline))
                await cluster.WriteTimeline(timeline).ConfigureAwait(false);
            answer.Body = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(question.Kind switch
            {
                nameof(Cluster.WriteTimeline) => timeline.ToArray(),
                nameof(Cluster.Resources) => Json(cluster.Resources),
                nameof(Cluster.AvailableResources) => Json(cluster.AvailableResources),
                nameof(Cluster.ListTasks) => Json(cluster.ListTasks()),
                nameof(Cluster.ListActors) => Json(cluster.ListActors()),
                nameof(Cluster.ListObjects) => Json(cluster.ListObjects()),
                nameof(Cluster.ListWorkers) => Json(cluster.ListWorkers()),
                nameof(Cluster.Summary) => Json(cluster.Summary()),
                _ => throw new NotSupportedException($"A cluster does not know what '{question.Kind}' is."),
            });
        }
        catch (Exception thrown)
        {
            answer.Error = WireErrors.ToWire(thrown);
        }

        session.Send(new() { Answer = answer });
    }

    private static byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, ServeJson.Options);

    private void Put(HeadSession session, Put put)
    {
        var type = ValueTypes.Find(put.Type) ?? typeof(object);
        var keep = Keepers.GetOrAdd(type, static type => KeepGeneric.MakeGenericMethod(type).CreateDelegate<Func<Cluster, ObjectId, StoredObject, ObjectRef>>());
        session.Lent.Add(keep(cluster, new(put.Id), session.Take(put.Value, put.Id, type)));
    }

    private static ObjectRef<T> Keep<T>(Cluster cluster, ObjectId id, StoredObject value)
    {
        var reference = new ObjectRef<T>(cluster, id);
        reference.TrySetStored(value);
        return reference;
    }

    private static void Supply(HeadSession session, Demand demand)
    {
        if (session.Lent.Find(demand.Id) is not { } reference)
        {
            session.Send(new() { Ready = new() { Number = demand.Number, Error = WireErrors.ToWire(new ObjectLostException($"Object {new ObjectId(demand.Id)} was given back by the worker that asks for it.")) } });
            return;
        }

        reference.Demand(fetch: true);
        var supply = new Supplying(session, demand.Number, reference);
        if (!reference.TryOnReady(supply))
            supply.Run();
    }

    /// <summary>Sends an object to the worker that waits for it, when it is ready.</summary>
    private sealed class Supplying(HeadSession session, long number, ObjectRef reference) : RefContinuation, IThreadPoolWorkItem
    {
        internal override void Run()
        {
            if (reference.IsFaulted || reference.Stored is not null)
                Execute();
            else
                ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        public void Execute()
        {
            var ready = new Ready { Number = number };
            try
            {
                if (reference.Error is { } failure)
                    ready.Error = WireErrors.ToWire(failure);
                else
                {
                    var stored = session.Values.Codec.Of(reference);
                    if (stored.IsShared)
                        session.Supplied.Keep(number, stored);
                    ready.Value = session.Values.Write(stored, reference.ValueType);
                }
            }
            catch (ObjectPendingException pending) when (pending.Again.TryOnReady(new Supplying(session, number, reference)))
            {
                return;
            }
            catch (Exception thrown)
            {
                ready.Error = WireErrors.ToWire(thrown);
            }

            session.Send(new() { Ready = ready });
        }
    }
}
