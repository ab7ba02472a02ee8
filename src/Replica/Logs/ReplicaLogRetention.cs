namespace Serve.Replica.Logs;

/// <summary>Deletes the log folders of stopped replicas; the newest folders of a deployment are kept for debugging.</summary>
internal static class ReplicaLogRetention
{
    public const int Kept = 20;

    /// <summary>Deletes the oldest siblings of <paramref name="directory"/> that no running replica writes to.</summary>
    public static void Prune(string directory, int kept = Kept)
    {
        if (Directory.GetParent(directory) is not { Exists: true } parent)
            return;
        var others = parent.GetDirectories()
            .Where(found => found.FullName != Path.GetFullPath(directory))
            .OrderByDescending(found => found.LastWriteTimeUtc)
            .Skip(kept);
        foreach (var found in others)
        {
            try
            {
                if (IsReplica(found) && !IsWritten(found))
                    found.Delete(recursive: true);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Another replica prunes the same folder concurrently, or a reader has it open: the next start tries again.
            }
        }
    }

    private static bool IsReplica(DirectoryInfo directory) => directory.GetFiles("replica*.log").Length > 0;

    // A running replica, in any process, has its file open for writing, so that it cannot be opened exclusively.
    private static bool IsWritten(DirectoryInfo directory)
    {
        foreach (var file in directory.GetFiles("replica*.log"))
        {
            try
            {
                file.Open(FileMode.Open, FileAccess.ReadWrite, FileShare.None).Dispose();
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                return true;
            }
        }

        return false;
    }
}
