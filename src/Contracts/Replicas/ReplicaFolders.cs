namespace Serve.Replicas;

/// <summary>Folders of a node that its replicas use, in the node's process and in its workers. They never leave the node: each node has its own.</summary>
/// <param name="Packages">Absolute path of the folder of the packages, by content hash.</param>
/// <param name="Logs">Absolute path of the folder of the log files.</param>
public sealed record ReplicaFolders(string Packages, string Logs)
{
    /// <summary>Returns the folders in a state directory.</summary>
    /// <param name="stateDirectory">Absolute path of the state directory.</param>
    public static ReplicaFolders Of(string stateDirectory) => new(Path.Combine(stateDirectory, "packages"), Path.Combine(stateDirectory, "logs"));

    /// <summary>Returns the folder of a package.</summary>
    /// <param name="hash">The package's content hash.</param>
    public string PackageOf(string hash) => Path.Combine(Packages, hash);

    /// <summary>Returns the folder of a replica's log files.</summary>
    /// <param name="replica">The replica.</param>
    public string LogsOf(ReplicaId replica) => Path.Combine(Logs, replica.Deployment.Application, replica.Deployment.Name, replica.Suffix);
}
