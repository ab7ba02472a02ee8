using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>What a node's runtime needs to know.</summary>
public sealed record NodeRuntimeOptions
{
    /// <summary>The node's process id for routes. Default <c>node</c>.</summary>
    public string NodeId { get; init; } = "node";

    /// <summary>What the node has to give. Default: what the machine has, as for a cluster.</summary>
    public ResourceDemand Resources { get => field ??= ResourceDemandFactory.TotalOf(new()); init; }

    /// <summary>Where tasks and actors run that code of this node starts and that do not say. Default: threads of the node.</summary>
    public Isolation TaskIsolation { get; init; } = Isolation.None;

    /// <summary>How a worker is started: the executable, then its arguments. Default null: no workers.</summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }

    /// <summary>Whether workers serve HTTP and gRPC from their start, as replicas need; else when the first actor comes to one. Default true.</summary>
    public bool WorkersListen { get; init; } = true;

    /// <summary>Variables that a worker's environment has besides the node's own. Default none.</summary>
    public ImmutableDictionary<string, string> WorkerEnvironment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Where workers' output goes. Default: a folder of the system's temporary one.</summary>
    public string WorkerLogDirectory { get; init; } = Path.Combine(Path.GetTempPath(), "serve-workers");

    /// <summary>How long a worker may take to say that it is ready. Default 30 s.</summary>
    public TimeSpan WorkerStartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a worker may take to end by itself before it is killed. Default 3 s.</summary>
    public TimeSpan WorkerStopTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How often a worker is asked whether it lives. Default 2 s; three missed answers in a row have it killed.</summary>
    public TimeSpan PingPeriod { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long a worker may take to answer. Default 5 s: one whose thread pool is busy is not dead.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
