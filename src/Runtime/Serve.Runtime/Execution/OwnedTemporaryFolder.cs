namespace Serve.Runtime.Execution;

/// <summary>
/// A folder for files of this process, accessible by its user only and deleted on disposal. If the process is killed before that, the next process that creates a folder
/// with the same prefix deletes it: a living owner holds the lock of a file in it, which the operating system releases with the process.
/// </summary>
public sealed class OwnedTemporaryFolder : IDisposable
{
    private const string LockName = ".owner";

    /// <summary>Age from which a folder without a lock file is not one that is just being created.</summary>
    private static readonly TimeSpan Unlocked = TimeSpan.FromHours(1);

    private readonly FileStream _lock;
    private int _disposed;

    /// <summary>Creates the folder, and deletes abandoned ones in the background.</summary>
    /// <param name="prefix">Beginning of its name.</param>
    /// <param name="parent">The folder that contains it, created if necessary. Default: the system's temporary folder.</param>
    public OwnedTemporaryFolder(string prefix, string? parent = null)
    {
        parent ??= System.IO.Path.GetTempPath();
        Path = System.IO.Path.Combine(parent, $"{prefix}{Environment.ProcessId}-{Guid.NewGuid():N}");
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(Path);
        }
        else
        {
            Directory.CreateDirectory(parent);
            Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        _lock = new FileStream(System.IO.Path.Combine(Path, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        _ = Task.Run(() => DeleteAbandoned(prefix, parent));
    }

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    /// <summary>Deletes the folders of processes that have ended. Those of other users and of living processes stay.</summary>
    internal static void DeleteAbandoned(string prefix, string parent)
    {
        try
        {
            foreach (var folder in Directory.EnumerateDirectories(parent, prefix + "*"))
            {
                if (IsAbandoned(folder))
                    Delete(folder);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Concurrently deleted by another process.
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _lock.Dispose();
        Delete(Path);
    }

    private static bool IsAbandoned(string folder)
    {
        try
        {
            using var owner = new FileStream(System.IO.Path.Combine(folder, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (FileNotFoundException)
        {
            return TimeProvider.System.GetUtcNow().UtcDateTime - Directory.GetLastWriteTimeUtc(folder) > Unlocked;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Already deleted, or a child process still writes to it: the next process deletes the rest.
        }
    }
}
