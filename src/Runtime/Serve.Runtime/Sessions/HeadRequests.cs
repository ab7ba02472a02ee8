using Serve.Runtime.Clusters;
using Serve.Runtime.Objects;
using Serve.Runtime.Serialization;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Sessions;

/// <summary>What workers' tasks ask of the cluster, put into effect in the head. Its one state is the ids it has given out.</summary>
internal sealed class HeadRequests(HeadCluster cluster)
{
    /// <summary>How many ids a session may give to objects and tasks of its own.</summary>
    private const int IdBits = 40;

    private long lastSession;

    public ValueCodec Codec => cluster.Codec;

    public Hello Hello() => new()
    {
        FirstId = Interlocked.Increment(ref lastSession) << IdBits,
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
            case Frame.BodyOneofCase.CancelTask:
                if (session.Lent.Find(frame.CancelTask.Id) is { } cancelled)
                    cluster.Cancel(cancelled, frame.CancelTask.Force, frame.CancelTask.Recursive);
                break;
            case Frame.BodyOneofCase.Free:
                cluster.Free(frame.Free.Ids.Select(session.Lent.Find).OfType<ObjectRef>());
                break;
        }
    }

    private void Put(HeadSession session, Put put)
    {
        var reference = new ObjectRef<object?>(cluster, new(put.Id));
        session.Lent.Add(reference);
        reference.TrySetStored(session.Take(put.Value, put.Id, typeof(object)));
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
