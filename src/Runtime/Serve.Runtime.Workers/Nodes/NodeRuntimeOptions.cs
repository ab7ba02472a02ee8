using System.Collections.Immutable;

namespace Serve.Runtime;

/// <summary>Options of a node's runtime.</summary>
public sealed record NodeRuntimeOptions
{
    /// <summary>The node's name, which is also the process id in routes. Default: <c>node</c>.</summary>
    public string NodeId { get; init; } = "node";

    /// <summary>Resources of the node. Default: the resources of the machine.</summary>
    public ResourceDemand Resources { get => field ??= ResourceDemandFactory.TotalOf(new()); init; }

    /// <summary>Default isolation of Core tasks and actors of this node. Default: threads of the node.</summary>
    public Isolation TaskIsolation { get; init; } = Isolation.None;

    /// <summary>Command that starts a worker: the executable, then its arguments. Default: null, no workers.</summary>
    public IReadOnlyList<string>? WorkerCommand { get; init; }

    /// <summary>Whether workers serve HTTP and calls from their start, as replicas need; otherwise from the first actor on. Default: true.</summary>
    public bool WorkersListen { get; init; } = true;

    /// <summary>Environment variables of workers in addition to the node's own. Default: none.</summary>
    public ImmutableDictionary<string, string> WorkerEnvironment { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Folder of the workers' log files. Default: a subfolder of the temporary folder.</summary>
    public string WorkerLogDirectory { get; init; } = Path.Combine(Path.GetTempPath(), "serve-workers");

    /// <summary>
    /// Time limit of a worker's start, measured by the progress of its process, not of the machine: CPU time that it uses, or time in which it uses none. The whole start may take
    /// ten times as long. Default: 30 s.
    /// </summary>
    public TimeSpan WorkerStartTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a worker may take to exit before it is killed. Default: 3 s.</summary>
    public TimeSpan WorkerStopTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long grants and worker leases of a driver last without a renewal. Default: 10 s.</summary>
    public TimeSpan LeaseLifetime { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Period of the liveness pings of a worker. Default: 1 s. After three consecutive unanswered pings the worker is killed; one that is stopped by a signal after two periods without an answer.
    /// </summary>
    public TimeSpan PingPeriod { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Time limit of a ping. Default: 5 s, since a worker with a busy thread pool is alive.</summary>
    public TimeSpan PingTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
