using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Whether anybody has a memory file open to read, or mapped, apart from who made it. Linux grants a lease for writing only on a file that nobody else has open, and
/// a mapping keeps what it was made from open. Tried out once, since other kernels may know less.
/// </summary>
internal static class MemoryFileReaderProbe
{
    private static readonly Lazy<bool> IsKnown = new(ProbeKernel);

    /// <returns>False also where that cannot be known.</returns>
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
            // No /proc, no more descriptors, or closed: then it is not used again.
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
