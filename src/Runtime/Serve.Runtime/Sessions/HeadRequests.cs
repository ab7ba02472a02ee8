using System.Collections.Concurrent;
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

    private readonly ConcurrentDictionary<(string Path, string Assembly, string Type, string Method), Lazy<NestedFunction>> functions = new();
    private readonly PeerAssemblies assemblies = new();
    private long lastSession;

    public HeadCluster Cluster => cluster;

    public ValueCodec Codec => cluster.Codec;

    private HeadActors Actors => field ??= new(cluster, assemblies);

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
            case Frame.BodyOneofCase.Submit when frame.Submit.Actor != 0:
                Actors.Call(session, frame.Submit);
                break;
            case Frame.BodyOneofCase.CreateActor:
                Actors.Create(session, frame.CreateActor);
                break;
            case Frame.BodyOneofCase.KillActor:
                session.Lent.FindActor(frame.KillActor.Actor)?.Kill(noRestart: !frame.KillActor.Restart);
                break;
            case Frame.BodyOneofCase.StreamTaken:
                if (session.Streams.TryGetValue(frame.StreamTaken, out var window))
                    window.Taken();
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
            LendFailed(session, submit.Id, thrown);
            if (submit.Stream)
                LentStream.End(session, submit.Id, thrown);
        }
    }

    private async Task AnswerAsync(HeadSession session, Question question)
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
                Questions.GetActor => Actors.Find(session, Questions.Read<Questions.Named>(question.Body.Span)),
                Questions.Terminate => await HeadActors.TerminateAsync(session, Questions.Read<long>(question.Body.Span)).ConfigureAwait(false),
                Questions.CreateGroup => Reserve(Questions.Read<Questions.Reserve>(question.Body.Span)),
                Questions.GroupReady => await ReadyAsync(Questions.Read<string>(question.Body.Span)).ConfigureAwait(false),
                Questions.RemoveGroup => await RemoveAsync(Questions.Read<string>(question.Body.Span)).ConfigureAwait(false),
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
        try
        {
            var type = ValueTypes.Find(put.Type) ?? typeof(object);
            session.Lent.Add(NestedArguments.RefTo(cluster, new(put.Id), session.Take(put.Value, put.Id, type), type));
        }
        catch (ServeException thrown) when (thrown is not ObjectLostException)
        {
            LendFailed(session, put.Id, thrown);
        }
    }

    private void LendFailed(HeadSession session, long id, Exception failure)
    {
        var failed = new ObjectRef<object?>(cluster, new(id));
        session.Lent.Add(failed);
        failed.TrySetException(failure);
    }

    private byte[] Reserve(Questions.Reserve asked) => Questions.Write(cluster.CreatePlacementGroup(asked.Bundles, asked.Strategy, asked.Name).Id);

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
