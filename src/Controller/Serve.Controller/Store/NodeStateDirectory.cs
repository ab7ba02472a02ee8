using System.Globalization;
using Serve.Hosting;
using Serve.Replicas;

namespace Serve.Controller.Store;

/// <summary>The node's folder on disk. Locked for exclusive use by this process until it is disposed.</summary>
public sealed class NodeStateDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly FileStream _lockFile;

    private NodeStateDirectory(string root, FileStream lockFile)
    {
        Root = root;
        _lockFile = lockFile;
    }

    /// <summary>Absolute path of the folder.</summary>
    public string Root { get; }

    /// <summary>The database file.</summary>
    public string Database => Path.Combine(Root, "serve.db");

    /// <summary>The file with the token of the node, unless one is configured.</summary>
    public string Token => Path.Combine(Root, "token");

    /// <summary>Folder of the packages, by content hash.</summary>
    public string Packages => Replicas.Packages;

    /// <summary>Folder of the build outputs of user code.</summary>
    public string Builds => Path.Combine(Root, "builds");

    /// <summary>Folder of the log files.</summary>
    public string Logs => Replicas.Logs;

    /// <summary>Folders that the replicas of this node use.</summary>
    public ReplicaFolders Replicas => ReplicaFolders.Of(Root);

    /// <summary>Folder of run-time files; removed when the node stops.</summary>
    public string Run => Path.Combine(Root, "run");

    /// <summary>The node's name: chosen or created with the folder, and the same after every restart.</summary>
    public NodeId NodeId { get; private init; }

    private string PidFile => Path.Combine(Run, "node.pid");

    /// <summary>Returns the default path: the user's state folder.</summary>
    public static string DefaultPath() => UserStateFolder.GetStateFolder();

    /// <summary>Build folders of commands without a state directory of their own, kept so that unchanged code is not rebuilt.</summary>
    public static string DefaultBuildCache => Path.Combine(DefaultPath(), "builds");

    /// <summary>Creates the folder if necessary, accessible to its owner only, and locks it.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="nodeName">The node's name; null for the one in the folder, or a new one.</param>
    /// <exception cref="StateStoreException">The folder cannot be written, another node uses it, or it belongs to a node of another name.</exception>
    public static NodeStateDirectory Open(string path, string? nodeName = null)
    {
        var root = Path.GetFullPath(path);
        try
        {
            Create(root);
            var lockFile = Lock(root);
            try
            {
                var directory = new NodeStateDirectory(root, lockFile) { NodeId = ReadOrCreateNodeId(Path.Combine(root, "node-id"), nodeName) };
                foreach (var folder in (string[])[directory.Packages, directory.Builds, directory.Logs, directory.Run])
                    Create(folder);

                // In a file of its own, because the locked file cannot be read by other processes.
                File.WriteAllText(directory.PidFile, Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
                return directory;
            }
            catch
            {
                lockFile.Dispose();
                throw;
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StateStoreException(
                $"The state directory {root} cannot be written: {error.Message} Choose another directory with --state-dir.", error);
        }
    }

    /// <summary>Returns the path of the database after a check that a file system has not emptied it: the node would start without its applications.</summary>
    /// <returns>The path.</returns>
    /// <exception cref="StateStoreException">The file is empty, although packages were deployed.</exception>
    public string RequireDatabase() =>
        new FileInfo(Database) is { Exists: true, Length: 0 } && Directory.EnumerateFileSystemEntries(Packages).Any()
            ? throw SqliteSchema.Damaged(Database, "it is empty, but there are packages of applications", null)
            : Database;

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            if (Directory.Exists(Run))
                Directory.Delete(Run, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The next start removes it. A failed cleanup must not keep the lock.
        }
        finally
        {
            _lockFile.Dispose();
        }
    }

    private static NodeId ReadOrCreateNodeId(string path, string? requested)
    {
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: > 0 } name)
        {
            return requested is null || requested == name
                ? new(name)
                : throw new StateStoreException(
                    $"The state directory {Path.GetDirectoryName(path)} belongs to node '{name}', but --node-name is '{requested}'. Remove --node-name, or choose another directory with --state-dir.");
        }

        var created = requested ?? $"node-{Guid.NewGuid():N}"[..13];
        File.WriteAllText(path, created);
        return new(created);
    }

    private static void Create(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    // The operating system releases the lock when the process exits for any reason, so a stale file blocks nothing.
    private static FileStream Lock(string root)
    {
        var path = Path.Combine(root, "node.lock");
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException error) when (error is not (DirectoryNotFoundException or FileNotFoundException or PathTooLongException) && File.Exists(path))
        {
            throw new StateStoreException(
                $"The state directory {root} is in use by another node{Holder(Path.Combine(root, "run", "node.pid"))}. Stop that node, or choose another directory with --state-dir.", error);
        }
    }

    private static string Holder(string path)
    {
        try
        {
            var text = File.ReadAllText(path).Trim();
            return text.Length > 0 ? $" (process {text})" : "";
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
