using Microsoft.Extensions.Logging;

namespace Serve.Controller.Logs;

/// <summary>
/// Bounds the log files of a node: deletes those of applications that no longer exist after a time, and the oldest ones above a total size. Files that a process
/// writes to stay.
/// </summary>
internal sealed partial class NodeLogRetention(string root, long maxBytes, TimeSpan keepDeleted, TimeProvider time, ILogger logger)
{
    /// <summary>Folder of the workers' files, which belong to no application.</summary>
    private const string Workers = "workers";

    /// <summary>Deletes what exceeds the bounds.</summary>
    /// <param name="applications">Names of the applications that exist.</param>
    public void Prune(IReadOnlySet<string> applications)
    {
        try
        {
            var files = new DirectoryInfo(root).GetFiles("*.log", SearchOption.AllDirectories).OrderBy(file => file.LastWriteTimeUtc).ToList();
            var total = files.Sum(file => file.Length);
            var oldest = (time.GetUtcNow() - keepDeleted).UtcDateTime;
            var (deleted, bytes) = (0, 0L);
            foreach (var file in files)
            {
                var application = Path.GetRelativePath(root, file.FullName).Split(Path.DirectorySeparatorChar)[0];
                var isExpired = application != Workers && !applications.Contains(application) && file.LastWriteTimeUtc < oldest;
                var length = file.Length;
                if ((!isExpired && total - bytes <= maxBytes) || !TryDelete(file))
                    continue;
                (deleted, bytes) = (deleted + 1, bytes + length);
            }

            RemoveEmptyFolders(new(root));
            if (deleted > 0)
                Log.Pruned(logger, deleted, bytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Log.Failed(logger, error);
        }
    }

    private static bool TryDelete(FileInfo file)
    {
        try
        {
            // A writer has it open, so that it cannot be opened exclusively.
            file.Open(FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            file.Delete();
            return true;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static void RemoveEmptyFolders(DirectoryInfo folder)
    {
        foreach (var child in folder.GetDirectories().Where(child => child.Name != Workers))
        {
            RemoveEmptyFolders(child);
            try
            {
                if (!child.EnumerateFileSystemInfos().Any())
                    child.Delete();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // A replica has just created its file.
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3032, LogLevel.Information, "{Files} log files of {Bytes} bytes were deleted")]
        public static partial void Pruned(ILogger logger, int files, long bytes);

        [LoggerMessage(3031, LogLevel.Warning, "Old log files could not be deleted; the next attempt follows")]
        public static partial void Failed(ILogger logger, Exception error);
    }
}
