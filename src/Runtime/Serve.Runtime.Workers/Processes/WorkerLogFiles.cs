using System.Globalization;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Names the log files of workers and limits their number. Holds no state.</summary>
internal static class WorkerLogFiles
{
    // Two for each worker.
    private const int Kept = 100;

    /// <summary>Returns a file that no earlier worker has written to, since crash messages are read from it.</summary>
    public static string NewFile(string directory, string workerId, TimeProvider time) => Path.Combine(
        directory, string.Create(CultureInfo.InvariantCulture, $"{workerId}-{time.GetUtcNow():yyyyMMddTHHmmssfff}.log"));

    /// <summary>Returns the file for the native output of the worker with this log file.</summary>
    public static string NativeFileOf(string logFile) => Path.ChangeExtension(logFile, ".native.log");

    /// <summary>Creates the folder and deletes all but the newest files.</summary>
    public static void Prepare(string directory)
    {
        var old = Directory.CreateDirectory(directory).GetFiles("*.log").OrderByDescending(file => file.LastWriteTimeUtc).Skip(Kept);
        foreach (var file in old)
        {
            try
            {
                file.Delete();
            }
            catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
            {
                // In use by another node or an administrator; retried by the next worker.
            }
        }
    }
}
