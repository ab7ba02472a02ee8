using Serve.Runtime.Actors;
using Serve.Runtime.Clusters;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Executes the actor operations of code in workers, in the driver. Its state is the classes that it has resolved.</summary>
internal sealed class ActorRequestHandler(DriverCluster cluster, PeerAssemblyLoader assemblies)
{
    /// <summary>Creates an actor or finds the requested one; the answer is its descriptor or the failure.</summary>
    public void Create(WorkerConnection session, CreateActor message)
    {
        var answer = new Answer { Number = message.Number };
        try
        {
            var type = assemblies.FindType(message.Type);
            var constructor = ConstructorSelector.Find(type, message.Arguments.Count);
            var arguments = NestedArgumentReader.ReadAll(cluster, session, message.Id, message.Arguments, constructor.GetParameters());
            var options = message.Options.IsEmpty ? null : DriverQueryKinds.Read<ActorOptions>(message.Options.Span) with { Scheduling = TaskSettingsConverter.FromWire(message.Scheduling, cluster.Placement) };
            var inherited = session.Find(message.Parent)?.Attempt.Context?.InheritedScheduling;
            var nested = NestedActorClass.Of(type);
            answer.Body = Lend(session, cluster.Actors.GetOrCreate(nested.Construct(constructor, arguments), nested.Defaults, options, inherited, IsSame));
        }
        catch (Exception thrown)
        {
            answer.Error = session.Values.Write(thrown);
        }

        session.Send(new() { Answer = answer });
    }

    /// <summary>Calls an actor. An immediate failure is reported to a waiting caller and by the result.</summary>
    public void Call(WorkerConnection session, Submit message)
    {
        var answer = new Answer { Number = message.Confirm };
        try
        {
            var actor = session.Lent.FindActor(message.Actor) ?? throw new ActorNotFoundException($"Actor {new ObjectId(message.Actor)} has already been released by the worker that calls it.");
            var parent = session.Find(message.Parent)?.Attempt.Context;
            var origin = new ActorCallOrigin(parent, parent is null ? session : ActorCallOrigin.CallerOf(parent), new(message.Id));
            NestedActorMethod.Of(actor.Methods.Find(message.Method, message.Arguments.Count)).Call(cluster, session, actor, message, origin);
        }
        catch (Exception thrown)
        {
            var failed = new ObjectRef<object?>(cluster, new(message.Id));
            session.Lent.Add(failed);
            failed.TrySetException(thrown);
            if (message.Stream)
                LentStreamForwarder.End(session, message.Id, thrown);
            answer.Error = session.Values.Write(thrown);
        }

        if (message.Confirm != 0)
            session.Send(new() { Answer = answer });
    }

    public byte[] Find(WorkerConnection session, DriverQueryKinds.NamedActorQuery named) => Lend(
        session,
        cluster.Actors.Get(named.Name, named.ClassName, type => type.FullName == named.ClassName && type.Assembly.GetName().Name == named.Assembly)).ToByteArray();

    public static async Task<byte[]> TerminateAsync(WorkerConnection session, long actor)
    {
        if (session.Lent.FindActor(actor) is { } found)
            await found.Actor.Terminate().ConfigureAwait(false);
        return [];
    }

    // A redeployed package is loaded again, so the class may exist more than once.
    private static bool IsSame(Type there, Type asked) =>
        there == asked || (there.FullName == asked.FullName && there.Assembly.GetName().Name == asked.Assembly.GetName().Name);

    /// <summary>Transfers the handle that the actor has counted to the worker.</summary>
    private static Google.Protobuf.ByteString Lend(WorkerConnection session, ActorCallQueue actor)
    {
        session.Lent.Add(actor);
        actor.Actor.ReleaseHandle();
        return Google.Protobuf.UnsafeByteOperations.UnsafeWrap(DriverQueryKinds.Write(actor.Descriptor));
    }
}
