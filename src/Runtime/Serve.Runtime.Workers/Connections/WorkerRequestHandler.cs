using System.Collections.Concurrent;
using System.Text.Json;
using Serve.Runtime.Clusters;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Executes the requests of code in workers, in the driver. Its state is the id ranges that it has assigned and the functions that it has resolved.</summary>
internal sealed class WorkerRequestHandler(DriverCluster cluster)
{
    private readonly ConcurrentDictionary<(string Path, string Assembly, string Type, string Method), Lazy<NestedRemoteFunction>> _functions = new();
    private readonly PeerAssemblyLoader _assemblies = new();

    public DriverCluster Cluster => cluster;

    public ObjectValueCodec Codec => cluster.Codec;

    private ActorRequestHandler Actors => field ??= new(cluster, _assemblies);

    public Hello Hello() => new()
    {
        FirstId = new ObjectId(cluster.NextConnectionNumber(), 0).Number,
        Print = cluster.Options.LogToDriver,
        CheckValues = cluster.Options.CheckValues,
        Serializers = { cluster.Options.Serializers.Select(serializer => serializer.GetType().AssemblyQualifiedName) },
    };

    public void Receive(WorkerConnection session, Frame frame)
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
            case Frame.BodyOneofCase.Submit when frame.Submit.Actor != 0:
                Actors.Call(session, frame.Submit);
                break;
            case Frame.BodyOneofCase.CreateActor:
                Actors.Create(session, frame.CreateActor);
                break;
            case Frame.BodyOneofCase.KillActor:
                session.Lent.FindActor(frame.KillActor.Actor)?.Actor.Kill(noRestart: !frame.KillActor.Restart);
                break;
            case Frame.BodyOneofCase.StreamTaken:
                if (session.Streams.TryGetValue(frame.StreamTaken, out var window))
                    window.OnItemConsumed();
                break;
            case Frame.BodyOneofCase.Submit:
                Submit(session, frame.Submit);
                break;
            case Frame.BodyOneofCase.Printed:
                (cluster.Output ?? (frame.Printed.IsError ? Console.Error : Console.Out)).WriteLine($"({(frame.Printed.Task.Length == 0 ? "" : frame.Printed.Task + " ")}pid={session.Lease.ProcessId}) {frame.Printed.Text}");
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

    private Lazy<NestedRemoteFunction> Find(Function named) => _functions.GetOrAdd(
        (named.Path, named.Assembly, named.Type, named.Method),
        static (_, state) => new(() => new(state.Self._assemblies.FindType(state.named), state.named)),
        (Self: this, named));

    private void Submit(WorkerConnection session, Submit submit)
    {
        try
        {
            session.Functions[submit.Function].Value.Submit(cluster, session, submit, session.Find(submit.Parent)?.Attempt);
        }
        catch (BadInputException thrown)
        {
            LendFailed(session, submit.Id, thrown);
            if (submit.Stream)
                LentStreamForwarder.End(session, submit.Id, thrown);
        }
    }

    private async Task AnswerAsync(WorkerConnection session, Question question)
    {
        var answer = new Answer { Number = question.Number };
        try
        {
            await Task.Yield();
            using var timeline = new MemoryStream();
            if (question.Kind == nameof(Serve.Cluster.WriteTimeline))
                await cluster.WriteTimeline(timeline).ConfigureAwait(false);
            answer.Body = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(question.Kind switch
            {
                nameof(Serve.Cluster.WriteTimeline) => timeline.ToArray(),
                nameof(Serve.Cluster.Resources) => Json(cluster.Resources),
                nameof(Serve.Cluster.AvailableResources) => Json(cluster.AvailableResources),
                nameof(Serve.Cluster.ListTasks) => Json(cluster.ListTasks()),
                nameof(Serve.Cluster.ListActors) => Json(cluster.ListActors()),
                nameof(Serve.Cluster.ListObjects) => Json(cluster.ListObjects()),
                nameof(Serve.Cluster.ListWorkers) => Json(cluster.ListWorkers()),
                nameof(Serve.Cluster.Summary) => Json(cluster.Summary()),
                DriverQueryKinds.GetActor => Actors.Find(session, DriverQueryKinds.Read<DriverQueryKinds.NamedActorQuery>(question.Body.Span)),
                DriverQueryKinds.Terminate => await ActorRequestHandler.TerminateAsync(session, DriverQueryKinds.Read<long>(question.Body.Span)).ConfigureAwait(false),
                DriverQueryKinds.CreateGroup => Reserve(DriverQueryKinds.Read<DriverQueryKinds.PlacementGroupQuery>(question.Body.Span)),
                DriverQueryKinds.GroupReady => await ReadyAsync(DriverQueryKinds.Read<string>(question.Body.Span)).ConfigureAwait(false),
                DriverQueryKinds.RemoveGroup => await RemoveAsync(DriverQueryKinds.Read<string>(question.Body.Span)).ConfigureAwait(false),
                _ => throw new NotSupportedException($"Unknown query '{question.Kind}'."),
            });
        }
        catch (Exception thrown)
        {
            answer.Error = session.Values.Write(thrown);
        }

        session.Send(new() { Answer = answer });
    }

    private static byte[] Json<T>(T value) => JsonSerializer.SerializeToUtf8Bytes(value, ServeJson.Options);

    private void Put(WorkerConnection session, Put put)
    {
        try
        {
            var type = ValueTypeTraits.Find(put.Type) ?? typeof(object);
            session.Lent.Add(NestedArgumentReader.RefTo(cluster, new(put.Id), session.ImportValue(put.Value, put.Id, type), type));
        }
        catch (ServeException thrown) when (thrown is not ObjectLostException)
        {
            LendFailed(session, put.Id, thrown);
        }
    }

    private void LendFailed(WorkerConnection session, long id, Exception failure)
    {
        var failed = new ObjectRef<object?>(cluster, new(id));
        session.Lent.Add(failed);
        failed.TrySetException(failure);
    }

    private byte[] Reserve(DriverQueryKinds.PlacementGroupQuery asked) => DriverQueryKinds.Write(cluster.CreatePlacementGroup(asked.Bundles, asked.Strategy, asked.Name).Id);

    private async Task<byte[]> ReadyAsync(string group)
    {
        await cluster.Placement.Find(group).Ready.ConfigureAwait(false);
        return [];
    }

    private async Task<byte[]> RemoveAsync(string group)
    {
        await cluster.Placement.Find(group).DisposeAsync().ConfigureAwait(false);
        return [];
    }

    private static void Supply(WorkerConnection session, Demand demand)
    {
        if (session.Lent.Find(demand.Id) is not { } reference)
        {
            session.Send(new() { Ready = new() { Number = demand.Number, Error = session.Values.Write(new ObjectLostException($"Object {new ObjectId(demand.Id)} has already been released by the worker that requests it.")) } });
            return;
        }

        reference.RequestObject(fetch: true);
        var supply = new ObjectSupply(session, demand.Number, reference);
        if (!reference.TryAddContinuation(supply))
            supply.Run();
    }

    /// <summary>Sends an object to the worker that requested it, as soon as it is ready.</summary>
    private sealed class ObjectSupply(WorkerConnection session, long number, ObjectRef reference) : ObjectRefContinuation, IThreadPoolWorkItem
    {
        public override void Run()
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
                    ready.Error = session.Values.Write(failure);
                else
                {
                    var stored = session.Values.Codec.EncodeObject(reference);
                    if (stored.IsShared)
                        session.Supplied.Keep(number, stored);
                    ready.Value = session.Values.Write(stored, reference.ValueType);
                }
            }
            catch (ObjectRecomputingException pending) when (pending.Recomputed.TryAddContinuation(new ObjectSupply(session, number, reference)))
            {
                return;
            }
            catch (Exception thrown)
            {
                ready.Error = session.Values.Write(thrown);
            }

            session.Send(new() { Ready = ready });
        }
    }
}
