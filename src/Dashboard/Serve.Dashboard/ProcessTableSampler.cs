using System.Runtime.InteropServices;
using System.Text.Json;
using Serve.Admin;
using Serve.Dashboard.Live;
using Serve.Dashboard.Sampling;
using Serve.Dashboard.Sources;

namespace Serve.Dashboard;

/// <summary>Composes the tables of nodes and processes. Not thread-safe.</summary>
internal sealed class ProcessTableSampler(IDashboardSource source, TimeProvider time)
{
    private const double Mebibyte = 1024 * 1024;
    private static readonly TimeSpan MetricsPeriod = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan TreePeriod = TimeSpan.FromSeconds(10);

    /// <summary>How long a process is shown after its exit.</summary>
    private static readonly TimeSpan ExitedRetention = TimeSpan.FromSeconds(60);

    private readonly Dictionary<int, ProcessEntry> _entries = [];
    private Dictionary<(int Pid, string Name), double> _runtime = [];
    private MachineUsageReader? _machine;
    private List<int> _descendants = [];
    private long _metricsAt;
    private long _treeAt;
    private (double Pause, long At) _ownPause;

    /// <summary>Whether the figures of the .NET runtimes are old.</summary>
    public bool NeedsMetrics => _metricsAt == 0 || time.GetElapsedTime(_metricsAt) >= MetricsPeriod;

    /// <summary>Samples all processes.</summary>
    /// <param name="instance">The applications; null if there are none.</param>
    /// <param name="metrics">Metrics of all processes; null if they were not read this time.</param>
    /// <param name="content">Receives the tables.</param>
    public void Sample(ServeInstanceDetails? instance, MetricTextReader? metrics, Dictionary<string, List<LiveRowContent>> content)
    {
        var nodes = source.GetNodes();
        if (metrics is not null)
            UpdateRuntime(metrics.RuntimeFigures);
        var gpu = source.GetGpuUsage();
        var rows = SampleProcesses(nodes[0], instance, gpu);
        content[LiveTopics.Processes] = rows;
        content[LiveTopics.Nodes] = [.. nodes.Select((node, index) => index == 0 ? OwnNode(node, gpu, rows) : OtherNode(node))];
    }

    private List<LiveRowContent> SampleProcesses(NodeDetails node, ServeInstanceDetails? instance, DashboardGpuUsage gpu)
    {
        var live = FindProcesses(node, gpu);
        var replicas = ReplicasByPid(instance);
        var actors = source.GetActorsByWorker();
        var now = time.GetTimestamp();
        List<LiveRowContent> rows = [];
        foreach (var (pid, process) in live)
        {
            if (!_entries.TryGetValue(pid, out var entry) || entry.ExitedAt is not null)
                _entries[pid] = entry = new(pid, process);
            if (!entry.Reader.TryRead(time, out var usage))
            {
                entry.ExitedAt = now;
                continue;
            }

            entry.Process = process with
            {
                Replicas = replicas.GetValueOrDefault(pid) ?? [],
                Actors = process.WorkerId is { } worker && actors.TryGetValue(worker, out var hosted) ? hosted : [],
            };
            rows.Add(new(entry.Key, Serialize(Describe(entry, node, isExited: false, reason: null)), Values(pid, usage, gpu)));
        }

        IReadOnlyDictionary<int, string>? reasons = null;
        foreach (var (pid, entry) in _entries)
        {
            if (live.ContainsKey(pid) && entry.ExitedAt is null)
                continue;
            entry.ExitedAt ??= now;
            // A short child of user code is no news; a worker is.
            if (time.GetElapsedTime(entry.ExitedAt.Value) > ExitedRetention || entry.Process.Kind is not "worker")
            {
                _entries.Remove(pid);
                continue;
            }

            reasons ??= source.GetExitReasons();
            rows.Add(new(entry.Key, Serialize(Describe(entry, node, isExited: true, reasons.GetValueOrDefault(pid))), Unknown(LiveTopics.Processes)));
        }

        return rows;
    }

    private Dictionary<int, ProcessIdentity> FindProcesses(NodeDetails node, DashboardGpuUsage gpu)
    {
        var own = node.Pid == 0 ? Environment.ProcessId : node.Pid;
        Dictionary<int, ProcessIdentity> live = new() { [own] = new("node", "node", null, null) };
        foreach (var worker in node.Workers)
            live[worker.Pid] = new("worker", worker.Label, worker.WorkerId, worker.LogFilePath);
        if (_treeAt == 0 || time.GetElapsedTime(_treeAt) >= TreePeriod)
        {
            _descendants = ProcessTreeReader.FindDescendants(live.Keys.ToHashSet());
            _treeAt = time.GetTimestamp();
        }

        foreach (var pid in _descendants)
            live.TryAdd(pid, new("child", "", null, null));
        foreach (var process in gpu.Processes)
            live.TryAdd(process.Pid, new("other", "", null, null));
        return live;
    }

    private static Dictionary<int, IReadOnlyList<string>> ReplicasByPid(ServeInstanceDetails? instance) => (instance?.Applications.Values ?? [])
        .SelectMany(application => application.Deployments.Values).SelectMany(deployment => deployment.Replicas)
        .Where(replica => replica.Pid is not null).GroupBy(replica => replica.Pid!.Value)
        .ToDictionary(group => group.Key, IReadOnlyList<string> (group) => [.. group.Select(replica => replica.ReplicaId)]);

    private static ProcessInfo Describe(ProcessEntry entry, NodeDetails node, bool isExited, string? reason) => new()
    {
        NodeId = node.NodeId,
        Pid = entry.Reader.Pid,
        Kind = entry.Process.Kind,
        Name = entry.Name,
        Label = entry.Process.Label,
        WorkerId = entry.Process.WorkerId,
        Command = entry.Command,
        State = isExited ? "exited" : "running",
        ExitReason = reason,
        Replicas = entry.Process.Replicas ?? [],
        Actors = entry.Process.Actors ?? [],
        StartTimeS = entry.Process.Kind == "node" ? node.StartTimeS : null,
        Log = entry.Process.Kind == "node" ? "node" : entry.Process.WorkerId is { } worker && entry.Process.LogFile is not null ? $"worker:{worker}" : null,
    };

    private float[] Values(int pid, ProcessUsage usage, DashboardGpuUsage gpu)
    {
        var (memory, busy) = (double.NaN, double.NaN);
        foreach (var use in gpu.Processes)
        {
            if (use.Pid != pid)
                continue;
            memory = (double.IsNaN(memory) ? 0 : memory) + (use.Memory ?? 0);
            busy = (double.IsNaN(busy) ? 0 : busy) + ((use.Utilization ?? 0) * 100);
        }

        return
        [
            Round(usage.Cpu, 2), Size(usage.ResidentBytes), Size(usage.SharedBytes), Round(usage.DiskReadRate / 1024, 1), Round(usage.DiskWriteRate / 1024, 1),
            (float)usage.OpenFiles, (float)usage.Threads, Round(busy, 0), Size(memory),
            .. RuntimeValues(pid),
        ];
    }

    private float[] RuntimeValues(int pid)
    {
        if (pid != Environment.ProcessId)
        {
            return
            [
                Size(_runtime.GetValueOrDefault((pid, "gc_heap_bytes"), double.NaN)),
                Round(_runtime.GetValueOrDefault((pid, PauseShare), double.NaN) * 100, 1),
                (float)_runtime.GetValueOrDefault((pid, "thread_pool_threads"), double.NaN),
                (float)_runtime.GetValueOrDefault((pid, "thread_pool_queue_length"), double.NaN),
            ];
        }

        var (pause, at) = (GC.GetTotalPauseDuration().TotalSeconds, time.GetTimestamp());
        var share = _ownPause.At == 0 ? double.NaN : (pause - _ownPause.Pause) / time.GetElapsedTime(_ownPause.At, at).TotalSeconds;
        _ownPause = (pause, at);
        return [Size(GC.GetTotalMemory(forceFullCollection: false)), Round(share * 100, 1), ThreadPool.ThreadCount, ThreadPool.PendingWorkItemCount];
    }

    private const string PauseTotal = "gc_pause_seconds_total";
    private const string PauseShare = "gc_pause_share";

    private void UpdateRuntime(Dictionary<(int Pid, string Name), double> figures)
    {
        var seconds = _metricsAt == 0 ? double.NaN : time.GetElapsedTime(_metricsAt).TotalSeconds;
        foreach (var ((pid, name), total) in figures.ToList())
        {
            if (name == PauseTotal && _runtime.TryGetValue((pid, PauseTotal), out var before))
                figures[(pid, PauseShare)] = Math.Max(0, total - before) / seconds;
        }

        (_runtime, _metricsAt) = (figures, time.GetTimestamp());
    }

    private LiveRowContent OwnNode(NodeDetails node, DashboardGpuUsage gpu, List<LiveRowContent> processes)
    {
        _machine ??= new(node.StateDir ?? Path.GetTempPath());
        var usage = _machine.Read(time);
        var columns = LiveTopics.Columns[LiveTopics.Processes];
        // Processes of others on the GPU do not belong to the node.
        var own = processes.Where(row => _entries.Values.FirstOrDefault(entry => entry.Key == row.Key)?.Process.Kind is not "other").ToList();
        float Sum(string column) => own.Select(row => row.Values[Array.IndexOf(columns, column)]).Where(float.IsFinite).DefaultIfEmpty(float.NaN).Sum();
        var info = Describe(node) with
        {
            Host = Environment.MachineName,
            Os = RuntimeInformation.OSDescription,
            Cpus = Environment.ProcessorCount,
            MemoryTotalMib = Finite(usage.MemoryTotal / Mebibyte),
            DiskTotalMib = Finite(usage.DiskTotal / Mebibyte),
            Gpus = [.. gpu.Devices.Select(device => new GpuInfo(device.Index, device.Name, Math.Round(device.TotalMemory / Mebibyte)))],
        };
        return new(node.NodeId, Serialize(info),
        [
            Round(usage.Cpu, 2), Size(usage.MemoryUsed), Size(usage.DiskUsed), Round(Sum("cpu"), 2), Round(Sum("rss_mib"), 0),
            // Segments are mapped by several processes: the largest share is a lower bound of their size, a sum would count them several times.
            own.Select(row => row.Values[Array.IndexOf(columns, "shared_mib")]).Where(float.IsFinite).DefaultIfEmpty(float.NaN).Max(),
            Round(Sum("disk_read_kib_s"), 1), Round(Sum("disk_write_kib_s"), 1),
            gpu.Devices.Count == 0 ? float.NaN : Round(gpu.Devices.Average(device => device.Utilization ?? double.NaN) * 100, 0),
            gpu.Devices.Count == 0 ? float.NaN : Size(gpu.Devices.Sum(device => device.UsedMemory)),
            .. Reserved(node), own.Count,
        ]);
    }

    private static LiveRowContent OtherNode(NodeDetails node)
    {
        var values = Unknown(LiveTopics.Nodes);
        Reserved(node).CopyTo(values, values.Length - 3);
        return new(node.NodeId, Serialize(Describe(node)), values);
    }

    private static float[] Reserved(NodeDetails node) =>
        [Round(node.ResourcesReserved.GetValueOrDefault("CPU"), 2), node.ResourcesTotal.ContainsKey("GPU") ? Round(node.ResourcesReserved.GetValueOrDefault("GPU"), 2) : float.NaN];

    private static NodeInfo Describe(NodeDetails node) => new()
    {
        NodeId = node.NodeId,
        Phase = node.Phase.ToString().ToLowerInvariant(),
        Pid = node.Pid,
        Version = node.Version,
        GatewayAddress = node.GatewayAddress,
        AdminAddress = node.AdminAddress,
        StateDir = node.StateDir,
        StartTimeS = node.StartTimeS,
        ResourcesTotal = node.ResourcesTotal,
        Labels = node.Labels,
    };

    internal static byte[] Serialize<T>(T info) => JsonSerializer.SerializeToUtf8Bytes(info, ServeJson.Options);

    internal static float[] Unknown(string topic)
    {
        var values = new float[LiveTopics.Columns[topic].Length];
        Array.Fill(values, float.NaN);
        return values;
    }

    internal static float Round(double value, int digits) => double.IsFinite(value) ? (float)Math.Round(value, digits) : float.NaN;

    // In MiB. A difference of a tenth is noise in a large process, and would be sent each second.
    private static float Size(double bytes) => Round(bytes / Mebibyte, bytes < 100 * Mebibyte ? 1 : 0);

    private static double? Finite(double value) => double.IsFinite(value) ? Math.Round(value) : null;

    private sealed class ProcessEntry
    {
        public ProcessEntry(int pid, ProcessIdentity process)
        {
            Reader = new(pid);
            Process = process;
            Key = pid.ToString(System.Globalization.CultureInfo.InvariantCulture);
            Name = ProcessTreeReader.NameOf(pid);
            Command = ProcessTreeReader.CommandOf(pid);
        }

        public ProcessUsageReader Reader { get; }

        public ProcessIdentity Process { get; set; }

        public string Key { get; }

        public string Name { get; }

        public string Command { get; }

        public long? ExitedAt { get; set; }
    }

    private sealed record ProcessIdentity(string Kind, string Label, string? WorkerId, string? LogFile)
    {
        public IReadOnlyList<string>? Replicas { get; init; }

        public IReadOnlyList<string>? Actors { get; init; }
    }

    private sealed record ProcessInfo
    {
        public required string NodeId { get; init; }
        public required int Pid { get; init; }
        public required string Kind { get; init; }
        public required string Name { get; init; }
        public required string Label { get; init; }
        public required string? WorkerId { get; init; }
        public required string Command { get; init; }
        public required string State { get; init; }
        public required string? ExitReason { get; init; }
        public required IReadOnlyList<string> Replicas { get; init; }
        public required IReadOnlyList<string> Actors { get; init; }
        public required double? StartTimeS { get; init; }
        public required string? Log { get; init; }
    }

    private sealed record NodeInfo
    {
        public required string NodeId { get; init; }
        public required string Phase { get; init; }
        public required int Pid { get; init; }
        public required string Version { get; init; }
        public string? Host { get; init; }
        public string? Os { get; init; }
        public required string? GatewayAddress { get; init; }
        public required string? AdminAddress { get; init; }
        public required string? StateDir { get; init; }
        public required double StartTimeS { get; init; }
        public int? Cpus { get; init; }
        public double? MemoryTotalMib { get; init; }
        public double? DiskTotalMib { get; init; }
        public IReadOnlyList<GpuInfo> Gpus { get; init; } = [];
        public required IReadOnlyDictionary<string, double> ResourcesTotal { get; init; }
        public required IReadOnlyDictionary<string, string> Labels { get; init; }
    }

    private sealed record GpuInfo(int Index, string Name, double MemoryTotalMib);
}
