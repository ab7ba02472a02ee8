using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>What the store asks of Linux and .NET has no words for.</summary>
internal static partial class NativeMemory
{
    private const uint CloseOnExec = 1;
    private const uint AllowSealing = 2;
    private const int AddSeals = 1033;
    private const int SealSealShrinkGrowWrite = 1 | 2 | 4 | 8;
    private const int ReadWrite = 1 | 2;
    private const int Private = 2;
    private const int Fixed = 0x10;
    private const int Anonymous = 0x20;
    private const int NoReserve = 0x4000;

    /// <summary>Memory that is a file without a name in any folder: it is gone when the last process that has it open or mapped is, however that ends.</summary>
    public static SafeFileHandle CreateFile(string name)
    {
        var descriptor = MemFdCreate(name, CloseOnExec | AllowSealing);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"No shared memory could be made: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
    }

    /// <summary>Has the kernel refuse whatever would change the file from now on.</summary>
    public static void Seal(SafeFileHandle file) => _ = FCntl(file, AddSeals, SealSealShrinkGrowWrite);

    /// <summary>Replaces pages of this process by those of a file; what is written to them stays here.</summary>
    /// <returns>Whether it was done; otherwise the pages are empty ones.</returns>
    public static bool Cover(nint pages, nint length, SafeFileHandle file, long offset)
    {
        var held = false;
        try
        {
            file.DangerousAddRef(ref held);
            if (MMap(pages, length, ReadWrite, Private | Fixed | NoReserve, (int)file.DangerousGetHandle(), (nint)offset) == pages)
                return true;

            // A failed call may have taken away what was there.
            Uncover(pages, length);
            return false;
        }
        finally
        {
            if (held)
                file.DangerousRelease();
        }
    }

    /// <summary>Replaces pages of this process by empty ones of its own.</summary>
    public static bool Uncover(nint pages, nint length) => MMap(pages, length, ReadWrite, Private | Fixed | Anonymous, -1, 0) == pages;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemFdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FCntl(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MMap(nint address, nint length, int protection, int flags, int descriptor, nint offset);
}
