namespace Serve.Dashboard.Live;

/// <summary>Names and columns of the live tables.</summary>
internal static class LiveTopics
{
    public const string Nodes = "nodes";
    public const string Processes = "processes";
    public const string Applications = "applications";
    public const string Deployments = "deployments";
    public const string Replicas = "replicas";
    public const string Models = "models";
    public const string Decisions = "decisions";

    /// <summary>The columns of each table.</summary>
    public static IReadOnlyDictionary<string, string[]> Columns { get; } = new Dictionary<string, string[]>
    {
        [Nodes] =
        [
            "cpu", "memory_used_mib", "disk_used_mib", "processes_cpu", "processes_rss_mib", "shared_mib", "disk_read_kib_s", "disk_write_kib_s", "gpu", "gpu_memory_used_mib",
            "resources_reserved_cpu", "resources_reserved_gpu", "processes",
        ],
        [Processes] =
        [
            "cpu", "rss_mib", "shared_mib", "disk_read_kib_s", "disk_write_kib_s", "open_files", "threads", "gpu", "gpu_memory_mib", "gc_heap_mib", "gc_pause_percent", "pool_threads", "pool_queue",
        ],
        [Applications] = ["replicas_running", "replicas_target", "rps", "p50_ms", "p99_ms", "queued", "ongoing", "errors_per_s"],
        [Deployments] =
        [
            "replicas_target", "replicas_running", "replicas_starting", "replicas_stopping", "replicas_updating", "rps", "p50_ms", "p99_ms", "queued", "ongoing", "errors_per_s", "batch_size",
        ],
        [Replicas] = ["rps", "p50_ms", "p99_ms", "ongoing", "errors_per_s", "batch_size"],
        [Models] = ["replicas_running", "rps", "p50_ms", "p99_ms", "queued", "ongoing", "errors_per_s"],
        [Decisions] = ["newest"],
    };

    /// <summary>Whether a table is about processes; the others are about applications. Each group is sampled only while one of its tables is watched.</summary>
    /// <param name="topic">Name of the table.</param>
    public static bool IsOfProcesses(string topic) => topic is Nodes or Processes;

    /// <summary>Whether the rows of a table have a history of two hours.</summary>
    /// <param name="topic">Name of the table.</param>
    public static bool HasLongHistory(string topic) => topic is Nodes or Applications or Deployments;
}
