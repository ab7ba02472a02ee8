using System.Globalization;

namespace Serve.Runtime.Workers.Processes;

/// <summary>Names workers' log files and keeps their number down. Holds no state.</summary>
internal static class WorkerLogFiles
{
    private const int Kept = 50;

    /// <summary>A file that no earlier worker wrote to, since the last words of the dead are read from it.</summary>
    public static string NewFile(string directory, string workerId, TimeProvider time) => Path.Combine(
        directory, string.Create(CultureInfo.InvariantCulture, $"{workerId}-{time.GetUtcNow():yyyyMMddTHHmmssfff}.log"));

    /// <summary>Makes the folder and deletes all but the newest files in it.</summary>
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
                // Another node or the administrator has it; the next worker tries again.
            }
        }
    }
}
