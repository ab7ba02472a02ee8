using System.Globalization;

namespace Serve.Workflows.Storage;

/// <summary>Excludes other hosts from a database file. The operating system releases the lock when the process exits.</summary>
internal sealed class StoreFileLock : IDisposable
{
    private static readonly HashSet<string> NetworkFormats = new(["nfs", "nfs4", "cifs", "smb", "smb2", "smbfs", "9p", "fuse.sshfs", "ceph", "afs"], StringComparer.OrdinalIgnoreCase);

    private readonly FileStream _file;
    private readonly string _ownerFile;

    private StoreFileLock(FileStream file, string ownerFile) => (_file, _ownerFile) = (file, ownerFile);

    /// <exception cref="WorkflowStorageException">Another host uses the file, or the folder is not usable.</exception>
    public static StoreFileLock Acquire(string database)
    {
        var path = database + ".lock";
        var ownerFile = database + ".owner";
        try
        {
            var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            try
            {
                // In a file of its own, because other processes cannot read a locked one.
                File.WriteAllText(ownerFile, string.Create(CultureInfo.InvariantCulture, $"process {Environment.ProcessId} on {Environment.MachineName}"));
                return new(file, ownerFile);
            }
            catch
            {
                file.Dispose();
                throw;
            }
        }
        catch (IOException failure) when (File.Exists(path))
        {
            throw new WorkflowStorageInUseException(
                $"Workflow database '{database}' is in use by {ReadOwner(ownerFile)}. One SQLite file serves one host: use another file, stop the other host, or use PostgreSQL.", failure);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw new WorkflowStorageException($"Workflow database '{database}' cannot be locked: {failure.Message}", failure);
        }
    }

    /// <exception cref="WorkflowStorageException">The folder is on a network file system.</exception>
    public static void CheckFileSystem(string database, string format)
    {
        if (NetworkFormats.Contains(format))
        {
            throw new WorkflowStorageException(
                $"Workflow database '{database}' must be on a local file system, but was on '{format}'. SQLite's write-ahead log requires shared memory; use a local folder, or PostgreSQL.");
        }
    }

    public void Dispose()
    {
        // Before the lock is released: the next owner writes it again.
        File.Delete(_ownerFile);
        _file.Dispose();
    }

    private static string ReadOwner(string ownerFile)
    {
        try
        {
            return File.ReadAllText(ownerFile) is { Length: > 0 } owner ? owner : "another process";
        }
        catch (IOException)
        {
            return "another process";
        }
    }
}
