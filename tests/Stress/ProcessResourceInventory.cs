namespace Serve.Stress;

/// <summary>Resources that a cluster could leave behind: processes, shared memory, files, memory.</summary>
internal static class ProcessResourceInventory
{
    public static string[] Find() =>
    [
        .. Children().Select(id => $"process {id}"),
        .. Directory.GetFiles("/proc/self/fd").Select(file => new FileInfo(file).LinkTarget ?? "").Where(target => target.Contains("memfd:", StringComparison.Ordinal) && !target.Contains("doublemapper", StringComparison.Ordinal)),
        .. Directory.GetFileSystemEntries(Path.GetTempPath()),
        .. Directory.GetFileSystemEntries("/dev/shm"),
    ];

    public static IEnumerable<string> Children() => Directory.GetDirectories("/proc/self/task").SelectMany(
        task => File.ReadAllText($"{task}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries));

    public static long Memory()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
