using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Serve.Nodes;
using Serve.Replica.Loading;
using Serve.Replicas;
using Serve.Runtime;
using Serve.Specs;

namespace Serve.Replica.Tests.Fixtures;

/// <summary>Options of a replica under test.</summary>
public sealed record ReplicaTestOptions
{
    public string Environment { get; init; } = "Production";

    public ConcurrencyMode Concurrency { get; init; }

    public int MaxOngoing { get; init; } = 100;

    public JsonObject? Args { get; init; }

    public JsonObject? UserConfig { get; init; }

    public IHandleFactory? Handles { get; init; }

    public UserAssemblyCache? Assemblies { get; init; }

    /// <summary>Folder of the logs of all replicas; by default a new one, deleted with the host.</summary>
    public string? LogRoot { get; init; }

    public string? TypeName { get; init; }

    public string? AssemblyPath { get; init; }

    public TimeProvider? Time { get; init; }

    public string Suffix { get; init; } = "r1";

    public IReadOnlyList<ILoggerProvider> ProcessLoggers { get; init; } = [];

    public ImmutableSortedDictionary<string, string> Deployments { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    public ActorActivationContext ToContext(Type sample, IServiceProvider process, CancellationToken aborted) => new()
    {
        Spec = new ActorSpec
        {
            Id = new ActorId($"shop#{sample.Name}#{Suffix}"),
            Kind = ReplicaStartRequest.ActorKind,
            Concurrency = Concurrency,
            MaxOngoing = MaxOngoing,
            Payload = JsonSerializer.SerializeToUtf8Bytes(new ReplicaStartRequest
            {
                ReplicaId = $"shop#{sample.Name}#{Suffix}",
                Spec = new DeploymentSpec { Name = sample.Name, UserConfig = UserConfig },
                AssemblyFile = Path.GetFileName(AssemblyPath ?? sample.Assembly.Location),
                PackageHash = SamplePackages.HashOf(AssemblyPath ?? sample.Assembly.Location),
                TypeName = TypeName ?? sample.FullName!,
                Args = Args,
                Place = new(1, 3),
                DeploymentsByType = Deployments,
            }, ServeJson.Options),
        },
        ProcessId = "node",
        Turns = ActorTurnScheduler.Create(Concurrency),
        Gate = new ConcurrencyLimiter(MaxOngoing),
        GpuIds = [2],
        Aborted = aborted,
        Services = process,
    };
}

/// <summary>Folders of assemblies as packages: the name of the folder is the hash, its parent is the folder of the packages.</summary>
internal static class SamplePackages
{
    public static string HashOf(string assembly) => Path.GetFileName(Path.GetDirectoryName(assembly)!);

    public static ReplicaFolders FoldersOf(string assembly, string logs) => new(Path.GetDirectoryName(Path.GetDirectoryName(assembly)!)!, logs);
}
