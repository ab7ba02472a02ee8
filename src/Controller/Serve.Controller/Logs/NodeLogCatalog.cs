using Serve.Controller.Store;

namespace Serve.Controller.Logs;

/// <summary>Finds the logs of a node: those of running and of stopped replicas and workers, and that of the node's process.</summary>
/// <param name="directory">State directory.</param>
/// <param name="controller">Knows the processes.</param>
/// <param name="buffer">Log of the node's process; null if it is not kept.</param>
internal sealed class NodeLogCatalog(NodeStateDirectory directory, ServeController controller, NodeLogBuffer? buffer)
{
    private const string Workers = "workers";

    /// <summary>Returns the sources, the ones that were written last first.</summary>
    public IReadOnlyList<NodeLogSource> List()
    {
        List<NodeLogSource> found = [.. Replicas(), .. WorkerSources()];
        found.Sort(static (one, other) => other.ModifiedS.CompareTo(one.ModifiedS));
        if (buffer is not null)
            found.Insert(0, new() { Id = "node", Kind = "node", Pid = Environment.ProcessId });
        return found;
    }

    private IEnumerable<NodeLogSource> Replicas()
    {
        var root = new DirectoryInfo(directory.Logs);
        if (!root.Exists)
            yield break;
        var running = controller.GetDetails().Applications.Values.SelectMany(application => application.Deployments.Values).SelectMany(deployment => deployment.Replicas)
            .ToDictionary(replica => replica.ReplicaId, replica => replica.Pid, StringComparer.Ordinal);
        foreach (var application in root.EnumerateDirectories().Where(static folder => folder.Name != Workers))
        {
            foreach (var deployment in application.EnumerateDirectories())
            {
                foreach (var replica in deployment.EnumerateDirectories())
                {
                    var id = $"{application.Name}#{deployment.Name}#{replica.Name}";
                    yield return Measured([.. replica.EnumerateFiles("*.log")], new()
                    {
                        Id = "replica:" + id, Kind = "replica", Application = application.Name, Deployment = deployment.Name, Replica = id, Pid = running.GetValueOrDefault(id),
                        Files = [(replica.FullName, "*.log")],
                    });
                }
            }
        }
    }

    // Named WORKER-TIME.log, with the output of native code next to it.
    private IEnumerable<NodeLogSource> WorkerSources()
    {
        var folder = new DirectoryInfo(Path.Combine(directory.Logs, Workers));
        if (!folder.Exists)
            yield break;
        var running = controller.GetNodes().Nodes.SelectMany(node => node.Workers).Where(worker => worker.LogFilePath is not null)
            .GroupBy(worker => Path.GetFileName(worker.LogFilePath!)).ToDictionary(group => group.Key, group => group.First().Pid, StringComparer.Ordinal);
        foreach (var file in folder.EnumerateFiles("*.log").Where(static file => !file.Name.EndsWith(".native.log", StringComparison.Ordinal)))
        {
            var name = Path.GetFileNameWithoutExtension(file.Name);
            var id = name.LastIndexOf('-') is > 0 and var end ? name[..end] : name;
            var native = name + ".native.log";
            yield return Measured([file, .. folder.EnumerateFiles(native)], new()
            {
                Id = "worker:" + id, Kind = "worker", WorkerId = id, Pid = running.TryGetValue(file.Name, out var pid) ? pid : null,
                Files = [(folder.FullName, file.Name), (folder.FullName, native)],
            });
        }
    }

    private static NodeLogSource Measured(IReadOnlyList<FileInfo> files, NodeLogSource source) => source with
    {
        Bytes = files.Sum(static file => file.Length),
        ModifiedS = files.Count == 0 ? 0 : new DateTimeOffset(files.Max(static file => file.LastWriteTimeUtc)).ToUnixTimeMilliseconds() / 1000.0,
    };
}
