using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Detects whether another process has a memory file open or mapped. Linux grants a write lease only on a file that no other process has open, and a mapping
/// keeps its file open. Probed once, because other kernels may behave differently.
/// </summary>
internal static class MemoryFileReaderProbe
{
    private static readonly Lazy<bool> IsKnown = new(ProbeKernel);

    /// <summary>Returns whether no other process has the file open or mapped.</summary>
    /// <returns>False also if this cannot be determined.</returns>
    public static bool HasNoReaders(SafeFileHandle file) => IsKnown.Value && CanLease(file);

    private static bool CanLease(SafeFileHandle file)
    {
        try
        {
            using var again = Open(file);
            return LinuxSharedMemory.TryLease(again);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // /proc is not available, no descriptors are left, or the file is closed: the memory is then not reused.
            return false;
        }
    }

    private static SafeFileHandle Open(SafeFileHandle file) =>
        File.OpenHandle($"/proc/self/fd/{file.DangerousGetHandle()}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static bool ProbeKernel()
    {
        try
        {
            using var file = LinuxSharedMemory.CreateFile("serve-probe");
            RandomAccess.SetLength(file, SharedMemorySegment.PageSize);
            nint mapped;
            using (var reader = Open(file))
            {
                if (CanLease(file))
                    return false;
                mapped = LinuxSharedMemory.MapPrivate(reader, SharedMemorySegment.PageSize);
            }

            if (mapped == -1)
                return false;
            var seesMapping = !CanLease(file);
            LinuxSharedMemory.Unmap(mapped, SharedMemorySegment.PageSize);
            return seesMapping && CanLease(file);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
