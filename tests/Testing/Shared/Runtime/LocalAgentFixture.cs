using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Testing;

/// <summary>A local node agent in this process whose workers are real processes.</summary>
internal sealed class LocalAgentFixture : IAsyncDisposable
{
    private readonly LocalNode _node;
    private readonly IAsyncEnumerator<NodeEvent> _events;
    private Task<bool>? _nextEvent;
    private int _next;

    public LocalAgentFixture(Func<NodeRuntimeOptions, NodeRuntimeOptions>? configure = null)
        : this(NewNode(configure))
    {
    }

    /// <summary>Wraps a node of a cluster.</summary>
    public LocalAgentFixture(LocalNode node)
    {
        _node = node;
        Node = node.Agent;
        Cluster = node.Cluster;
        _events = Node.WatchAsync(afterVersion: 0, CancellationToken.None).GetAsyncEnumerator();
    }

    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "Serve.Runtime.TestWorker");

    public INodeAgent Node { get; }

    /// <summary>The cluster of the node.</summary>
    public Cluster Cluster { get; }

    public TestTopicSubscriber Topics => _node.Services.GetRequiredService<TestTopicSubscriber>();

    /// <summary>Reports of the node's own process.</summary>
    public ActorReportRegistry Reports => _node.Services.GetRequiredService<ActorReportRegistry>();

    public async Task<CreatedTestActor> CreateAsync(
        WorkerPlacement placement, string payload = "", double cpus = 0, int maxOngoing = 1000, ConcurrencyMode concurrency = ConcurrencyMode.TurnBased,
        string? id = null, double gpus = 0, CancellationToken cancellationToken = default)
    {
        var spec = new ActorSpec
        {
            Id = new(id ?? $"actor{Interlocked.Increment(ref _next)}"),
            Kind = "test",
            Payload = System.Text.Encoding.UTF8.GetBytes(payload),
            Placement = placement,
            MaxOngoing = maxOngoing,
            Concurrency = concurrency,
            Resources = ResourceDemand.None.With(ResourceDemand.Cpu, cpus).With(ResourceDemand.Gpu, gpus),
        };
        var process = await Node.CreateActorAsync(spec, cancellationToken);
        return new(spec.Id, process, Resolve(spec.Id, process));
    }

    public ICallTarget Resolve(ActorId id, HostProcessAddress process) => _node.Services.GetRequiredService<IActorReferenceResolver>().Resolve(id, process);

    public async Task<NodeEvent> NextEventAsync()
    {
        var next = (_nextEvent ??= _events.MoveNextAsync().AsTask());
        Assert.True(await next.SoonAsync());
        _nextEvent = null;
        return _events.Current;
    }

    /// <summary>Whether an event has happened that has not been read.</summary>
    public bool HasUnreadEvent => (_nextEvent ??= _events.MoveNextAsync().AsTask()).IsCompleted;

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    private static LocalNode NewNode(Func<NodeRuntimeOptions, NodeRuntimeOptions>? configure)
    {
        var options = new NodeRuntimeOptions
        {
            WorkerCommand = [Executable, "worker"],
            Resources = ResourceDemand.None.With(ResourceDemand.Cpu, 4).With(ResourceDemand.Gpu, 2),
        };
        return new(configure?.Invoke(options) ?? options, TestWorkerServices.Add);
    }
}

/// <summary>An actor that a test has created, its process, and the target of its calls.</summary>
internal sealed record CreatedTestActor(ActorId Id, HostProcessAddress Process, ICallTarget Target) : ICallTarget
{
    public ValueTask<TResult> InvokeAsync<TResult>(MethodCall<TResult> call, CallContext context, CancellationToken cancellationToken) =>
        Target.InvokeAsync(call, context, cancellationToken);

    public IAsyncEnumerable<TItem> StreamAsync<TItem>(MethodCall<IAsyncEnumerable<TItem>> call, CallContext context, CancellationToken cancellationToken) =>
        Target.StreamAsync(call, context, cancellationToken);
}

/// <summary>Calls by name, as tests write them.</summary>
internal static class ActorCallExtensions
{
    public static Task<T> CallAsync<T>(this ICallTarget actor, string method, params object?[] arguments) =>
        actor.InvokeAsync(new NamedMethodCall<T>(method, arguments), CallContext.None, CancellationToken.None).SoonAsync();

    public static IAsyncEnumerable<T> StreamAsync<T>(this ICallTarget actor, string method, params object?[] arguments) =>
        actor.StreamAsync(new NamedMethodCall<IAsyncEnumerable<T>>(method, arguments), CallContext.None, CancellationToken.None);
}
