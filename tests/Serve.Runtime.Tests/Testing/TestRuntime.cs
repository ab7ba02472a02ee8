using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Runtime.TestWorker;

namespace Serve.Runtime.Tests.Testing;

/// <summary>A node's runtime in this process whose workers are real processes.</summary>
internal sealed class TestRuntime : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly DirectoryInfo logs = Directory.CreateTempSubdirectory("serve-runtime-tests");
    private int next;

    public TestRuntime(Func<NodeRuntimeOptions, NodeRuntimeOptions>? configure = null)
    {
        var options = new NodeRuntimeOptions
        {
            WorkerCommand = [Executable, "worker"],
            WorkerLogDirectory = logs.FullName,
            Resources = ResourceDemand.None.With(ResourceDemand.Cpu, 4).With(ResourceDemand.Gpu, 2),
        };
        var collection = new ServiceCollection();
        collection.AddServeRuntime(configure?.Invoke(options) ?? options);
        TestServices.Add(collection);
        services = collection.BuildServiceProvider();
        Node = services.GetRequiredService<IActorRuntime>();
        Cluster = services.GetRequiredService<Cluster>();
    }

    public static string Executable { get; } = Path.Combine(AppContext.BaseDirectory, "Serve.Runtime.TestWorker");

    public IActorRuntime Node { get; }

    /// <summary>The node's.</summary>
    public Cluster Cluster { get; }

    public TopicLog Topics => services.GetRequiredService<TopicLog>();

    public Task<ActorHandle> CreateAsync(
        WorkerPlacement placement, string payload = "", double cpus = 0, int maxOngoing = 1000, ConcurrencyMode concurrency = ConcurrencyMode.TurnBased,
        string? id = null, double gpus = 0, CancellationToken cancellationToken = default) =>
        Node.CreateAsync(
            new()
            {
                Id = new(id ?? $"actor{Interlocked.Increment(ref next)}"),
                Kind = "test",
                Payload = System.Text.Encoding.UTF8.GetBytes(payload),
                Placement = placement,
                MaxOngoing = maxOngoing,
                Concurrency = concurrency,
                Resources = ResourceDemand.None.With(ResourceDemand.Cpu, cpus).With(ResourceDemand.Gpu, gpus),
            },
            cancellationToken);

    public async Task<ActorEvent> NextEventAsync() => await Node.Events.ReadAsync().SoonAsync();

    public async ValueTask DisposeAsync()
    {
        await services.DisposeAsync();

        // A test may have ended it itself.
        if (Directory.Exists(logs.FullName))
            logs.Delete(recursive: true);
    }
}

/// <summary>Calls by name, as tests write them.</summary>
internal static class ActorCalls
{
    public static Task<T> CallAsync<T>(this ActorHandle actor, string method, params object?[] arguments) =>
        actor.InvokeAsync(new NamedCall<T>(method, arguments), CallContext.None, CancellationToken.None).SoonAsync();

    public static IAsyncEnumerable<T> StreamAsync<T>(this ActorHandle actor, string method, params object?[] arguments) =>
        actor.StreamAsync(new NamedCall<IAsyncEnumerable<T>>(method, arguments), CallContext.None, CancellationToken.None);
}
