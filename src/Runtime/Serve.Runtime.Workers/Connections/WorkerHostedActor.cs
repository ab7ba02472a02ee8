using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Actors;
using Serve.Runtime.Methods;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Workers.Connections;

/// <summary>One actor in its worker: the same mailboxes and the same actor host as in the driver's process. Its instance is written by the invocation of its constructor.</summary>
internal sealed class WorkerHostedActor(Actor description, DriverConnection session, ProcessActorHost host, TaskThreadPool threads)
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string, int), BoundRemoteFunction> _functions = new();
    private HostedActor? _actor;

    public ActorMailboxSet Mailboxes { get; } =
        new((ConcurrencyMode)description.Concurrency, description.MaxConcurrency, description.Groups, NullLogger.Instance, threads.Enqueue);

    public HostedActor Local => Volatile.Read(ref _actor) ?? throw new BadInputException($"Actor {description.ActorId} is not hosted by this worker.");

    public Type Type => field ??= session.Assemblies.FindType(description.Type);

    public ActorMethodTable Methods => ActorMethodTable.For(Type);

    public BoundRemoteFunction FunctionOf(string method, int arguments) => _functions.GetOrAdd((method, arguments), static (key, self) =>
    {
        var found = self.Methods.Find(key.Item1, key.Item2);
        return new(found, (found.Traits & ActorMethodTraits.Async) != 0);
    }, this);

    public async Task MakeAsync(Run run, CancellationToken cancellationToken)
    {
        var constructor = ConstructorSelector.Find(Type, run.Arguments.Count);
        var parameters = constructor.GetParameters();
        var arguments = run.Arguments.Select((argument, i) => session.Values.Read(argument, parameters[i].ParameterType)).ToArray();
        var factory = new ReceivedActorFactory(constructor, arguments);
        try
        {
            Volatile.Write(ref _actor, await CoreActorActivator.CreateAsync(
                host, new(description.ActorId), factory, Mailboxes.Own, (ConcurrencyMode)description.Concurrency, run.GpuIds, cancellationToken).ConfigureAwait(false));
        }
        catch (ActorCreationException failed) when (failed.InnerException is { } thrown)
        {
            throw thrown is ServeException ? thrown : new UserCodeException(thrown);
        }
    }

    public Task EndAsync() => host.StopAsync(new(description.ActorId), DrainLimit, CancellationToken.None);
}
