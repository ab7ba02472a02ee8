using System.Collections.Concurrent;
using Microsoft.Extensions.Logging.Abstractions;
using Serve.Runtime.Methods;
using Serve.Runtime.Sessions;
using Serve.Runtime.Tasks;
using Serve.Runtime.Wire;

namespace Serve.Runtime.CoreActors;

/// <summary>One actor in its worker: the same mailboxes and the same host as in the head's own process. Its instance is written by its constructor's run.</summary>
internal sealed class WorkerActor(Actor told, WorkerSession session, ActorHost host, CoreThreads threads)
{
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<(string, int), SessionFunction> functions = new();
    private LocalActor? actor;

    public ActorMailboxes Mailboxes { get; } =
        new((ConcurrencyMode)told.Concurrency, told.MaxConcurrency, told.Groups, NullLogger.Instance, threads.Queue);

    public LocalActor Local => Volatile.Read(ref actor) ?? throw new BadInputException($"Actor {told.ActorId} is not here.");

    public Type Type => field ??= session.Assemblies.FindType(told.Type);

    public MethodTable Methods => MethodTable.For(Type);

    public SessionFunction FunctionOf(string method, int arguments) => functions.GetOrAdd((method, arguments), static (key, self) =>
    {
        var found = self.Methods.Find(key.Item1, key.Item2);
        return new(found, (found.Traits & MethodTraits.Async) != 0);
    }, this);

    public async Task MakeAsync(Run run, CancellationToken cancellationToken)
    {
        var constructor = ConstructorChoice.Find(Type, run.Arguments.Count);
        var parameters = constructor.GetParameters();
        var arguments = run.Arguments.Select((argument, i) => session.Values.Read(argument, parameters[i].ParameterType)).ToArray();
        var spec = new ActorSpec
        {
            Id = new(told.ActorId),
            Kind = CoreActivator.CoreKind,
            Concurrency = (ConcurrencyMode)told.Concurrency,
            Local = new WireConstruct(constructor, arguments),
            Turns = Mailboxes.Own,
        };
        try
        {
            Volatile.Write(ref actor, await host.CreateAsync(spec, [.. run.GpuIds], cancellationToken).ConfigureAwait(false));
        }
        catch (ActorCreationException failed) when (failed.InnerException is { } thrown)
        {
            throw thrown is ServeException ? thrown : new UserCodeException(thrown);
        }
    }

    public Task EndAsync() => host.StopAsync(new(told.ActorId), DrainLimit, CancellationToken.None);
}
