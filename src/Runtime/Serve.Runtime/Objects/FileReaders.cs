using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>
/// Whether anybody has a memory file open to read, or mapped, apart from who made it. Linux grants a lease for writing only on a file that nobody else has open, and
/// a mapping keeps what it was made from open. Tried out once, since other kernels may know less.
/// </summary>
internal static class FileReaders
{
    private static readonly Lazy<bool> IsKnown = new(TryOut);

    /// <returns>False also where that cannot be known.</returns>
    public static bool AreNone(SafeFileHandle file) => IsKnown.Value && MayLease(file);

    private static bool MayLease(SafeFileHandle file)
    {
        try
        {
            using var again = Open(file);
            return NativeMemory.TryLease(again);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException or ObjectDisposedException)
        {
            // No /proc, no more descriptors, or closed: then it is not used again.
            return false;
        }
    }

    private static SafeFileHandle Open(SafeFileHandle file) =>
        File.OpenHandle($"/proc/self/fd/{file.DangerousGetHandle()}", FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private static bool TryOut()
    {
        try
        {
            using var file = NativeMemory.CreateFile("serve-probe");
            RandomAccess.SetLength(file, Segment.PageSize);
            nint mapped;
            using (var reader = Open(file))
            {
                if (MayLease(file))
                    return false;
                mapped = NativeMemory.Map(reader, Segment.PageSize);
            }

            if (mapped == -1)
                return false;
            var seesMapping = !MayLease(file);
            NativeMemory.Unmap(mapped, Segment.PageSize);
            return seesMapping && MayLease(file);
        }
        catch (Exception thrown) when (thrown is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
