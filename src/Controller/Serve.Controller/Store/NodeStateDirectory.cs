using System.Globalization;
using Serve.Runtime.Observation;

namespace Serve.Controller;

/// <summary>The node's folder on disk and the lock that makes it this node's alone, for as long as this object lives.</summary>
public sealed class NodeStateDirectory : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private readonly FileStream _lockFile;

    private NodeStateDirectory(string root, FileStream lockFile)
    {
        Root = root;
        this._lockFile = lockFile;
    }

    /// <summary>The folder, absolute.</summary>
    public string Root { get; }

    /// <summary>The database.</summary>
    public string Database => Path.Combine(Root, "serve.db");

    /// <summary>Packages by content hash.</summary>
    public string Packages => Path.Combine(Root, "packages");

    /// <summary>Build outputs of user code.</summary>
    public string Builds => Path.Combine(Root, "builds");

    /// <summary>Log files.</summary>
    public string Logs => Path.Combine(Root, "logs");

    /// <summary>What exists only while the node runs; removed when it ends.</summary>
    public string Run => Path.Combine(Root, "run");

    private string PidFile => Path.Combine(Run, "node.pid");

    /// <summary>The folder of one replica's log files.</summary>
    public string LogsOf(ReplicaId replica) => Path.Combine(Logs, replica.Deployment.Application, replica.Deployment.Name, replica.Suffix);

    /// <summary>The default: the user's own state folder.</summary>
    public static string DefaultPath() => UserStateFolder.GetStateFolder();

    /// <summary>Build folders of commands without a state directory of their own, kept so that unchanged code is not rebuilt.</summary>
    public static string DefaultBuildCache => Path.Combine(DefaultPath(), "builds");

    /// <summary>Creates the folder if need be, readable by its owner alone, and locks it.</summary>
    /// <exception cref="StateStoreException">It cannot be written, or another node holds it.</exception>
    public static NodeStateDirectory Open(string path)
    {
        var root = Path.GetFullPath(path);
        try
        {
            Create(root);
            var lockFile = Lock(root);
            try
            {
                var directory = new NodeStateDirectory(root, lockFile);
                foreach (var folder in (string[])[directory.Packages, directory.Builds, directory.Logs, directory.Run])
                    Create(folder);

                // Beside the lock rather than in it: a locked file cannot be read by whoever finds it locked.
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
                $"The state directory {root} cannot be written: {error.Message} Give the node another one with --state-dir.", error);
        }
    }

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
            // The next start clears it; failing to tidy must not keep the lock.
        }
        finally
        {
            _lockFile.Dispose();
        }
    }

    private static void Create(string folder)
    {
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, OwnerOnly);
    }

    // The operating system drops the lock with the process, however it ends, so a stale file holds nobody up.
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
                $"The state directory {root} is in use by another node{Holder(Path.Combine(root, "run", "node.pid"))}. Stop that node, or give this one another directory with --state-dir.", error);
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
