using System.Collections.Immutable;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Serve.Calls;
using Serve.Replica.Definitions;
using Serve.Replica.Loading;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;
using Serve.Nodes;
using Serve.Replicas;
using Serve.Routes;
using Serve.Routing;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Replica.Tests.Activation;

/// <summary>Replicas with the real runtime and router, in one process.</summary>
public sealed class ReplicaRuntimeTests : IAsyncLifetime
{
    private readonly string _logs = Directory.CreateTempSubdirectory("serve-runtime-").FullName;
    private Type[] _application = [typeof(Caller), typeof(Counter), typeof(Calculator)];
    private readonly AutoscalingStatsRecorder _autoscalingStats = new();
    private ServiceProvider _services = null!;
    private INodeAgent _runtime = null!;

    public Task InitializeAsync()
    {
        _services = new ServiceCollection()
            .AddSingleton<ITopicSubscriber>(_autoscalingStats)
            .AddServeRuntime(new NodeRuntimeOptions())
            .AddServeRouting(provider =>
            {
                var directory = provider.GetRequiredService<IActorReferenceResolver>();
                return replica => directory.Resolve(new ActorId(replica.ReplicaId), new(replica.Address.ProcessId, replica.Address.HttpAddress, replica.Address.CallAddress, replica.Address.Token));
            })
            .AddServeReplicas(SamplePackages.FoldersOf(typeof(Caller).Assembly.Location, _logs))
            .BuildServiceProvider();
        _runtime = _services.GetRequiredService<INodeAgent>();
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _services.DisposeAsync();
        Directory.Delete(_logs, recursive: true);
    }

    [Fact]
    public async Task Handles_BetweenReplicas_CallAcrossTheRouter()
    {
        var replicas = await Task.WhenAll(_application.Select(StartAsync));
        await PublishAsync(replicas);
        var caller = new DeploymentHandle(_services.GetRequiredService<IHandleFactory>().GetTarget("Caller", "shop"), "Caller");

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

        Assert.Equal(7, await waiting.Target.InvokeAsync(new NamedMethodCall<int>("Call"), CallContext.None, CancellationToken.None));
    }

    [Fact]
    public async Task Models_UsedByCallsAndStreams_AreFreeWhenTheseHaveEnded()
    {
        var models = await StartAsync(typeof(Models));
        for (var i = 0; i < 6; i++)
        {
            // Two slots: a use that does not end would block the third model.
            Assert.Equal($"c{i}", await models.Target.InvokeAsync(new NamedMethodCall<string>("Call"), new CallContext { MultiplexedModelId = $"c{i}" }, CancellationToken.None)
                .AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
            var signal = Guid.NewGuid().ToString("n");
            TestSignals.Set(signal);
            var stream = models.Target.StreamAsync(
                new NamedMethodCall<IAsyncEnumerable<string>>("Stream", signal), new CallContext { MultiplexedModelId = $"s{i}" }, CancellationToken.None);
            await foreach (var item in stream)
                Assert.Equal($"s{i} True", item);
        }
    }

    [Fact]
    public async Task Models_OfAReplica_AreKnownToTheRouter()
    {
        _application = [typeof(Models)];
        await PublishAsync([await StartAsync(typeof(Models))]);
        var router = _services.GetRequiredService<RouteTable>().Current.FindDeployment("Models", "shop");

        await Eventually.TrueAsync(() => router.IsMultiplexed);
    }

    [Fact]
    public async Task RoutingStats_OfAReplica_AreKnownToTheRouter()
    {
        _application = [typeof(Reporter)];
        await PublishAsync([await StartAsync(typeof(Reporter))]);
        var router = _services.GetRequiredService<RouteTable>().Current.FindDeployment("Reporter", "shop");

        await Eventually.TrueAsync(() => router.Replicas[0].Stats?.GetProperty("cached")[0].GetString() == "a");
        Assert.Equal(1, router.Replicas[0].Stats!.Value.GetProperty("reports").GetInt32());
    }

    [Fact]
    public async Task AutoscalingStats_OfAReplica_ArePublished()
    {
        _application = [typeof(Reporter)];
        await StartAsync(typeof(Reporter));

        await Eventually.TrueAsync(() => _autoscalingStats.Latest.Contains("\"shop#Reporter#r1\":{\"tokens\":7.5}", StringComparison.Ordinal));
    }

    [Fact]
    public void RoutingPolicy_OfAPackage_IsLoadedAndReleased()
    {
        var assembly = typeof(LastReplicaPicker).Assembly;
        var loader = _services.GetRequiredService<IPickerClassLoader>();
        var rule = new RoutingRule { PickerClass = typeof(LastReplicaPicker).FullName, PackageHash = SamplePackages.HashOf(assembly.Location), AssemblyFile = Path.GetFileName(assembly.Location) };

        using (var lease = loader.Load(rule))
        {
            Assert.Equal(-1, lease.Create(new([], [], null)).Pick(default));
            Assert.Equal(1, _services.GetRequiredService<UserAssemblyCache>().Count);
        }

        Assert.Equal(0, _services.GetRequiredService<UserAssemblyCache>().Count);
        Assert.Throws<DefinitionException>(() => loader.Load(rule with { PickerClass = typeof(Counter).FullName }));
        Assert.Equal(0, _services.GetRequiredService<UserAssemblyCache>().Count);
    }

    [Fact]
    public void Inspect_RoutingPolicies_AreListed() =>
        Assert.Equal([typeof(LastReplicaPicker).FullName!], DeploymentInspector.Inspect(typeof(LastReplicaPicker).Assembly.Location, nameof(Counter)).PickerClasses.AsEnumerable());

    [Fact]
    public async Task Stop_Replica_RefusesCallsFromThenOn()
    {
        var counter = await StartAsync(typeof(Counter));
        Assert.Equal(1, (await counter.Target.InvokeAsync(new NamedMethodCall<CountReply>("Call"), CallContext.None, CancellationToken.None)).Count);

        await _runtime.StopActorAsync(counter.Id, TimeSpan.FromSeconds(5), CancellationToken.None);

        await Assert.ThrowsAsync<CallRefusedException>(() =>
            counter.Target.InvokeAsync(new NamedMethodCall<CountReply>("Call"), CallContext.None, CancellationToken.None).AsTask());
    }

    private async Task<StartedReplica> StartAsync(Type sample)
    {
        var id = new ActorId($"shop#{sample.Name}#r1");
        var process = await _runtime.CreateActorAsync(new ActorSpec
        {
            Id = id,
            Kind = ReplicaStartRequest.ActorKind,
            MaxOngoing = 10,
            Payload = JsonSerializer.SerializeToUtf8Bytes(new ReplicaStartRequest
            {
                ReplicaId = id.Value,
                Spec = new DeploymentSpec { Name = sample.Name, Autoscaling = new() },
                AssemblyFile = Path.GetFileName(sample.Assembly.Location),
                PackageHash = SamplePackages.HashOf(sample.Assembly.Location),
                TypeName = sample.FullName!,
                DeploymentsByType = _application.ToImmutableSortedDictionary(type => type.FullName!, type => type.Name),
            }, ServeJson.Options),
        }, CancellationToken.None);
        return new(id, process, _services.GetRequiredService<IActorReferenceResolver>().Resolve(id, process));
    }

    private Task PublishAsync(StartedReplica[] replicas) => _runtime.PublishAsync(RouteSnapshot.Topic, new(1, 1), JsonSerializer.SerializeToUtf8Bytes(new RouteSnapshot
    {
        Version = new(1, 1),
        Deployments = [.. _application.Zip(replicas, (type, replica) => new DeploymentRoute
        {
            Application = "shop",
            Deployment = type.Name,
            MaxOngoingRequests = 10,
            MaxQueuedRequests = 10,
            Replicas = [new ReplicaRoute(replica.Id.Value, new ReplicaAddress(new("n1"), replica.Process.ProcessId, replica.Process.HttpAddress, replica.Process.Http2Address, replica.Process.CallAddress, replica.Process.Token))],
        })],
    }, ServeJson.Options), CancellationToken.None);

    private sealed record CountReply(int Count);

    private sealed record StartedReplica(ActorId Id, HostProcessAddress Process, ICallTarget Target);

    private sealed class AutoscalingStatsRecorder : ITopicSubscriber
    {
        public string Latest { get; private set; } = "";

        public string Topic => AutoscalingStatsReports.Topic;

        public ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
        {
            Latest = System.Text.Encoding.UTF8.GetString(publication.Payload.Span);
            return ValueTask.CompletedTask;
        }
    }
}
