using Serve.Calls;
using Serve.Runtime.Actors;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;
using Serve.Runtime.Workers.Transport;

namespace Serve.Runtime.Workers.Connections;

/// <summary>Sends the actor operations of code in a worker: creation, lookup and calls. Holds no state.</summary>
internal sealed class NestedActorSubmitter(DriverConnection session)
{
    /// <summary>Calls a method of an actor.</summary>
    /// <param name="actor">The actor.</param>
    /// <param name="id">Id of the result, or of the end of the stream.</param>
    /// <param name="call">The method and its arguments.</param>
    /// <param name="options">Call options.</param>
    /// <param name="window">Number of stream items that may be under way; 0 for a single result.</param>
    /// <exception cref="NotSerializableException">An argument cannot be serialized.</exception>
    public void Send<TActor, TResult>(ActorHandleDescriptor actor, ObjectId id, MethodCall<TResult> call, ActorCallOptions? options, int window)
        where TActor : class
    {
        session.Cluster.ThrowIfDisposed();
        var arguments = call.GetArguments();
        var submit = new Submit
        {
            Id = id.Number,
            Parent = TaskContext.Current?.TaskId.Number ?? 0,
            Actor = actor.Number,
            Method = call.Method,
            Stream = window > 0,
            Window = window,
            Call = TaskSettingsConverter.ToWire(call.Method, options, window > 0),
        };
        try
        {
            var parameters = arguments.Length == 0 ? [] : ActorMethodTable.For(typeof(TActor)).Find(call.Method, arguments.Length).Parameters;
            for (var i = 0; i < arguments.Length; i++)
                submit.Arguments.Add(session.WriteArgument(arguments[i], parameters[i].ParameterType, id.Number, $"argument '{parameters[i].Name}' of {typeof(TActor).Name}.{call.Method}"));

            // The call may be rejected; the exception is then thrown to the caller.
            if (actor.IsLimited || options?.ConcurrencyGroup is not null)
                session.QueryAsync(number => new() { Submit = Confirmed(submit, number) }).GetAwaiter().GetResult();
            else
                session.SendOrWait(new() { Submit = submit });
        }
        catch
        {
            session.Streams.Forget(id);
            throw;
        }

        // References among the arguments must not be released before the driver has received the frame.
        GC.KeepAlive(arguments);
    }

    /// <summary>Creates an actor.</summary>
    public ActorHandle<TActor> Create<TActor>(MethodCall<TActor> construct, ActorOptions? options)
        where TActor : class
    {
        var arguments = construct.GetArguments();
        var create = new CreateActor
        {
            Id = session.Cluster.NextId().Number,
            Parent = TaskContext.Current?.TaskId.Number ?? 0,
            Type = ActorFrameMapper.Name(typeof(TActor)),
        };
        if (options is not null)
        {
            create.Options = Google.Protobuf.UnsafeByteOperations.UnsafeWrap(DriverQueryKinds.Write(options with { Scheduling = null }));
            create.Scheduling = TaskSettingsConverter.ToWire(options.Scheduling);
        }

        var parameters = ConstructorSelector.ParametersFor(typeof(TActor), arguments.Length);
        for (var i = 0; i < arguments.Length; i++)
            create.Arguments.Add(session.WriteArgument(arguments[i], parameters[i].ParameterType, create.Id, $"argument '{parameters[i].Name}' of {typeof(TActor).Name}'s constructor"));
        var handle = HandleTo<TActor>(session.QueryAsync(number => new() { CreateActor = Numbered(create, number) }).GetAwaiter().GetResult());
        GC.KeepAlive(arguments);
        return handle;
    }

    /// <summary>Finds an actor by its name.</summary>
    /// <exception cref="ActorNotFoundException">No such actor exists, or it is of another class.</exception>
    public ActorHandle<TActor> Get<TActor>(string name)
        where TActor : class =>
        HandleTo<TActor>(session.QueryAsync(DriverQueryKinds.GetActor, DriverQueryKinds.Write(new DriverQueryKinds.NamedActorQuery(name, typeof(TActor).FullName!, typeof(TActor).Assembly.GetName().Name!))).GetAwaiter().GetResult());

    private static Submit Confirmed(Submit submit, long number)
    {
        submit.Confirm = number;
        return submit;
    }

    private static CreateActor Numbered(CreateActor create, long number)
    {
        create.Number = number;
        return create;
    }

    private RemoteActorHandle<TActor> HandleTo<TActor>(byte[] answer)
        where TActor : class
    {
        var address = DriverQueryKinds.Read<ActorHandleDescriptor>(answer);
        return new(session, session.Borrowed.Add(new(address.Number)), address);
    }
}
