using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;
using Serve.Replicas;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Replica.Tests.Activation;

/// <summary>Replicas under the real runtime and router, in one process.</summary>
public sealed class RuntimeTests : IAsyncLifetime
{
    private readonly string logs = Directory.CreateTempSubdirectory("serve-runtime-").FullName;
    private Type[] application = [typeof(Caller), typeof(Counter), typeof(Calculator)];
    private ServiceProvider services = null!;
    private IActorRuntime runtime = null!;

    public Task InitializeAsync()
    {
        services = new ServiceCollection()
            .AddServeRuntime(new NodeRuntimeOptions())
            .AddServeRouting(provider =>
            {
                var directory = provider.GetRequiredService<IActorDirectory>();
                return replica => directory.Resolve(new ActorId(replica.ReplicaId), replica.Process);
            })
            .AddServeReplicas()
            .BuildServiceProvider();
        runtime = services.GetRequiredService<IActorRuntime>();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await services.DisposeAsync();
        Directory.Delete(logs, recursive: true);
    }

    [Fact]
    public async Task Handles_BetweenReplicas_CallAcrossTheRouter()
    {
        var replicas = await Task.WhenAll(application.Select(StartAsync));
        await PublishAsync(replicas);
        var caller = new DeploymentHandle(services.GetRequiredService<IHandleFactory>().GetTarget("Caller", "shop"), "Caller");

        var answer = await caller.Options(requestId: "r7").Remote<JsonElement>();

        Assert.Equal("""{"count":{"count":1},"square":9,"requestId":"r7","model":null}""", answer.GetRawText());
    }

    [Fact]
    public async Task Create_ConstructorThrows_IsTheCreationsFailure()
    {
        var error = await Assert.ThrowsAsync<ActorCreationException>(() => StartAsync(typeof(Throwing)));

        Assert.Contains("no model file", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_ConstructorWaitsForAsynchronousWork_DoesNotHang()
    {
        var waiting = await StartAsync(typeof(Waiting)).WaitAsync(TimeSpan.FromSeconds(10));

        Assert.Equal(7, await waiting.InvokeAsync(new NamedCall<int>("Call"), CallContext.None, CancellationToken.None));
    }

    [Fact]
    public async Task Models_UsedByCallsAndStreams_AreFreeWhenTheseHaveEnded()
    {
        var models = await StartAsync(typeof(Models));
        for (var i = 0; i < 6; i++)
        {
            // Two places: a use that did not end would keep the third waiting.
            Assert.Equal($"c{i}", await models.InvokeAsync(new NamedCall<string>("Call"), new CallContext { MultiplexedModelId = $"c{i}" }, CancellationToken.None)
                .AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
            var signal = Guid.NewGuid().ToString("n");
            Signals.Set(signal);
            var stream = models.StreamAsync(
                new NamedCall<IAsyncEnumerable<string>>("Stream", signal), new CallContext { MultiplexedModelId = $"s{i}" }, CancellationToken.None);
            await foreach (var item in stream)
                Assert.Equal($"s{i} True", item);
        }
    }

    [Fact]
    public async Task Models_OfAReplica_AreKnownToTheRouter()
    {
        application = [typeof(Models)];
        await PublishAsync([await StartAsync(typeof(Models))]);
        var router = services.GetRequiredService<RouteTable>().Current.Find("Models", "shop");

        await Eventually.TrueAsync(() => router.IsMultiplexed);
    }

    [Fact]
    public async Task Stop_Replica_RefusesCallsFromThenOn()
    {
        var counter = await StartAsync(typeof(Counter));
        Assert.Equal(1, (await counter.InvokeAsync(new NamedCall<CountReply>("Call"), CallContext.None, CancellationToken.None)).Count);

        await runtime.StopAsync(counter.Id, TimeSpan.FromSeconds(5), CancellationToken.None);

        await Assert.ThrowsAsync<CallRefusedException>(() =>
            counter.InvokeAsync(new NamedCall<CountReply>("Call"), CallContext.None, CancellationToken.None).AsTask());
    }

    private Task<ActorHandle> StartAsync(Type sample) => runtime.CreateAsync(new ActorSpec
    {
        Id = new ActorId($"shop#{sample.Name}#r1"),
        Kind = ReplicaStart.ActorKind,
        MaxOngoing = 10,
        Payload = JsonSerializer.SerializeToUtf8Bytes(new ReplicaStart
        {
            ReplicaId = $"shop#{sample.Name}#r1",
            Spec = new DeploymentSpec { Name = sample.Name },
            PackageDirectory = Path.GetDirectoryName(sample.Assembly.Location)!,
            AssemblyFile = Path.GetFileName(sample.Assembly.Location),
            PackageHash = "samples",
            TypeName = sample.FullName!,
            LogDirectory = Path.Combine(logs, sample.Name, "r1"),
            DeploymentsByType = application.ToImmutableSortedDictionary(type => type.FullName!, type => type.Name),
        }, ServeJson.Options),
    }, CancellationToken.None);

    private Task PublishAsync(ActorHandle[] replicas) => runtime.PublishAsync(RouteSnapshot.Topic, 1, JsonSerializer.SerializeToUtf8Bytes(new RouteSnapshot
    {
        Version = 1,
        Deployments = [.. application.Zip(replicas, (type, replica) => new DeploymentRoute
        {
            Application = "shop",
            Deployment = type.Name,
            MaxOngoingRequests = 10,
            MaxQueuedRequests = 10,
            Replicas = [new ReplicaRoute(replica.Id.Value, replica.Process)],
        })],
    }, ServeJson.Options), CancellationToken.None);

    private sealed record CountReply(int Count);
}
