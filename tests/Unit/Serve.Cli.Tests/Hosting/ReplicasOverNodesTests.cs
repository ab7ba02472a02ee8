using Microsoft.Extensions.DependencyInjection;
using Serve.Admin;
using Serve.Cli.Hosting;
using Serve.Controller;
using Serve.Controller.Applications;
using Serve.Controller.Store;
using Serve.Nodes;
using Serve.Replicas;
using Serve.Specs;

namespace Serve.Cli.Tests.Hosting;

/// <summary>A controller with real replicas in worker processes over three nodes with one CPU and a state directory each.</summary>
public sealed class ReplicasOverNodesTests : IAsyncLifetime, IAsyncDisposable
{
    private const string Hash = "0123456789abcdef";
    private readonly TemporaryTestFolder _folder = new();
    private readonly LocalNodeCluster _nodes;
    private NodeStateDirectory? _state;
    private ServeController _controller = null!;

    public ReplicasOverNodesTests() => _nodes = new([], Configure);

    public async Task InitializeAsync()
    {
        foreach (var name in (string[])["a", "b", "c"])
            Join(name);
        _controller = _nodes["a"].Services.GetRequiredService<ServeController>();
        await _controller.StartAsync(CancellationToken.None);
    }

    Task IAsyncLifetime.DisposeAsync() => DisposeAsync().AsTask();

    public async ValueTask DisposeAsync()
    {
        await _nodes.DisposeAsync();
        _state?.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task Deploy_OneReplicaPerNode_IsCalledAndReplacedOverNodes()
    {
        await _controller.DeployAsync(
            new ApplicationConfig
            {
                Name = "where",
                ImportPath = "where",
                Isolation = IsolationMode.Replica,
                Deployments = [new() { Name = nameof(ProcessReporter), NumReplicas = 3, ActorOptions = new() { NumCpus = 1 } }],
            },
            CancellationToken.None);
        await RunsOnAsync("a", "b", "c");
        var handle = new DeploymentHandle(_nodes["a"].Services.GetRequiredService<IHandleFactory>().GetTarget(nameof(ProcessReporter), "where"), nameof(ProcessReporter));
        await CallsReachAsync(handle, 3);
        Assert.All(["a", "b", "c"], node => Assert.True(File.Exists(Path.Combine(FoldersOf(node).PackageOf(Hash), "Serve.Cli.Tests.dll"))));
        Assert.Single(Directory.GetFiles(FoldersOf("b").Logs, "replica.log", SearchOption.AllDirectories));

        await _nodes.LoseAsync("b");
        await RunsOnAsync("a", "c");
        await CallsReachAsync(handle, 2);

        Join("d");
        await RunsOnAsync("a", "c", "d");
        await CallsReachAsync(handle, 3);
    }

    [Theory]
    [InlineData(IsolationMode.Application)]
    [InlineData(IsolationMode.Replica)]
    public async Task Broadcast_ReplicasOverNodes_ReachesEachAndReportsItsRanks(IsolationMode isolation)
    {
        await _controller.DeployAsync(
            new ApplicationConfig
            {
                Name = "where",
                ImportPath = "where",
                Isolation = isolation,
                Deployments = [new() { Name = nameof(ProcessReporter), NumReplicas = 4, ActorOptions = new() { NumCpus = 0.5 } }],
            },
            CancellationToken.None);
        await RunsOnAsync("a", "a", "b", "c");
        var target = _nodes["b"].Services.GetRequiredService<IHandleFactory>().GetTarget(nameof(ProcessReporter), "where");
        await EventuallyRanksAsync(target, "0:0.0 1:1.0 2:2.0 3:0.1");

        await _nodes.LoseAsync("c");
        await RunsOnAsync("a", "a", "b", "b");
        await EventuallyRanksAsync(target, "0:0.0 1:1.0 2:1.1 3:0.1");

        // One replica fails; the others answer.
        var results = await new DeploymentHandle<ProcessReporter>(target, nameof(ProcessReporter)).FailAtRank.Broadcast(2);
        Assert.Equal([false, false, true, false], results.Select(result => result.Error is UserCodeException));
        Assert.Equal(3, results[3].Value);
    }

    [Fact]
    public async Task Gang_OneProcessDies_AllOfItAreReplacedTogether()
    {
        await _controller.DeployAsync(
            new ApplicationConfig
            {
                Name = "where",
                ImportPath = "where",
                Isolation = IsolationMode.Replica,
                Deployments =
                [
                    new()
                    {
                        Name = nameof(ProcessReporter),
                        NumReplicas = 4,
                        GangSchedulingConfig = new() { GangSize = 2 },
                        ActorOptions = new() { NumCpus = 0.5 },
                    },
                ],
            },
            CancellationToken.None);
        await RunsOnAsync("a", "a", "b", "b");
        var handle = new DeploymentHandle<ProcessReporter>(_nodes["a"].Services.GetRequiredService<IHandleFactory>().GetTarget(nameof(ProcessReporter), "where"), nameof(ProcessReporter));
        var before = await GangsAsync();
        Assert.Equal([2, 2], before.CountBy(gang => gang.GangId).Select(gang => gang.Value));
        Assert.All(before, gang => Assert.Equal((2, 2), (gang.WorldSize, gang.MemberReplicaIds.Count)));

        var dead = (await handle.Call.Broadcast())[0];
        using (var process = System.Diagnostics.Process.GetProcessById(dead.Value))
            process.Kill();

        List<GangContext> after = [];
        await Eventually.TrueAsync(async () =>
        {
            after = await GangsAsync();
            return after.Count == 4 && after.All(gang => !gang.MemberReplicaIds.Contains(dead.ReplicaId));
        });
        Assert.Single(after.Select(gang => gang.GangId).Intersect(before.Select(gang => gang.GangId)));

        async Task<List<GangContext>> GangsAsync() => [.. (await handle.Gang.Broadcast()).Where(result => result.Error is null).Select(result => result.Value!)];
    }

    // Reconfigurations follow the routes.
    private static async Task EventuallyRanksAsync(Calls.ICallTarget target, string expected)
    {
        var ranks = "";
        await Eventually.TrueAsync(
            async () =>
            {
                ranks = string.Join(" ", (await new DeploymentHandle(target, "where").Method("Ranks").Broadcast<string>()).Select(result => result.Value));
                return ranks == expected;
            },
            () => $"{expected}, but was {ranks}");
    }

    private async Task CallsReachAsync(DeploymentHandle handle, int processes)
    {
        var seen = new HashSet<int>();
        await Eventually.TrueAsync(async () =>
        {
            seen.Add(await handle.Remote<int>());
            return seen.Count == processes;
        });
    }

    private Task RunsOnAsync(params string[] nodes) => Eventually.TrueAsync(
        () => _controller.GetDetails("where")!.Deployments[nameof(ProcessReporter)].Replicas
            .Where(replica => replica.State == ReplicaState.Running).Select(replica => replica.NodeId).Order(StringComparer.Ordinal).SequenceEqual(nodes),
        () => _controller.GetDetails("where")!.Message);

    private ReplicaFolders FoldersOf(string node) => ReplicaFolders.Of(_folder.In(node));

    private void Join(string name) => _nodes.Join(name, change: options => options with
    {
        TaskIsolation = Isolation.None,
        WorkerCommand = ["dotnet", "exec", Path.Combine(AppContext.BaseDirectory, "serve.dll"), NodeProcessServices.WorkerVerb, _folder.In(name)],
    });

    private void Configure(IServiceCollection services, string name)
    {
        services.AddServeProcess(_folder.In(name));
        if (name != "a")
        {
            services.AddSingleton<INodePackageSource>(new CopyingPackageSource(FoldersOf(name), FoldersOf("a")));
            return;
        }

        _state = NodeStateDirectory.Open(_folder.In(name), name);
        var package = Directory.CreateDirectory(_state.Replicas.PackageOf(Hash)).FullName;
        foreach (var file in Directory.GetFiles(AppContext.BaseDirectory, "Serve.Cli.Tests.d*").Concat(Directory.GetFiles(AppContext.BaseDirectory, "xunit.*.dll"))
            .Concat(Directory.GetFiles(AppContext.BaseDirectory, "Serve.Workflows.dll")))
            File.Copy(file, Path.Combine(package, Path.GetFileName(file)));
        services.AddServeController(new() { NodeId = new("a") }, _state);
        services.AddSingleton<IApplicationSource>(new OwnAssemblySource(package));
    }

    /// <summary>The package with the deployment of this assembly.</summary>
    private sealed class OwnAssemblySource(string folder) : IApplicationSource
    {
        public Task<ApplicationPackage> PrepareAsync(string importPath, CancellationToken cancellationToken)
        {
            var inspected = new PackageInspector().InspectAssembly(Path.Combine(folder, "Serve.Cli.Tests.dll"), typeof(ProcessReporter).FullName);
            return Task.FromResult(new ApplicationPackage { Hash = Hash, Directory = folder, AssemblyFile = "Serve.Cli.Tests.dll", Deployments = inspected.Deployments, Ingress = inspected.Ingress });
        }

        public string FindSource(string importPath) => importPath;

        public int DeleteUnused(IReadOnlySet<string> used, DateTimeOffset before) => 0;
    }

    /// <summary>Copies packages from another node.</summary>
    private sealed class CopyingPackageSource(ReplicaFolders own, ReplicaFolders other) : INodePackageSource
    {
        public Task FetchAsync(string hash, CancellationToken cancellationToken)
        {
            var target = Directory.CreateDirectory(own.PackageOf(hash)).FullName;
            foreach (var file in Directory.GetFiles(other.PackageOf(hash)))
                File.Copy(file, Path.Combine(target, Path.GetFileName(file)), overwrite: true);
            return Task.CompletedTask;
        }
    }
}

/// <summary>A deployment that reports its process.</summary>
[Deployment]
public sealed class ProcessReporter(IReplicaContext replica)
{
    public string Ranks() => $"{replica.Rank}:{replica.NodeRank}.{replica.LocalRank}";

    public GangContext? Gang() => replica.Gang;

    public int FailAtRank(int rank) => replica.Rank == rank ? throw new InvalidOperationException("asked to") : replica.Rank;

    public int Call() => Environment.ProcessId;
}
