using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>What the store asks of Linux and .NET has no words for.</summary>
internal static partial class LinuxSharedMemory
{
    private const uint CloseOnExec = 1;
    private const uint AllowSealing = 2;
    private const int AddSeals = 1033;
    private const int SealSealShrinkGrow = 1 | 2 | 4;
    private const int SealWrite = 8;
    private const int SealFutureWrite = 0x10;
    private const int SetSignal = 10;
    private const int SetLease = 1024;
    private const int WriteLease = 1;
    private const int NoLease = 2;
    private const int Urgent = 23;
    private const int Shared = 1;
    private const int PopulateWrite = 23;
    private const int NoMemory = 12;
    private const int BadAddress = 14;
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
    public static void Seal(SafeFileHandle file) => _ = FCntl(file, AddSeals, SealSealShrinkGrow | SealWrite);

    /// <summary>The same, save for what is written to the mappings that are there.</summary>
    /// <returns>Whether the kernel knows how to.</returns>
    public static bool SealExceptMappings(SafeFileHandle file) => FCntl(file, AddSeals, SealSealShrinkGrow | SealFutureWrite) == 0;

    /// <summary>Maps a file so that what is written changes it.</summary>
    /// <returns>-1 when there is no room for it.</returns>
    public static nint MapShared(SafeFileHandle file, nint length) => MMap(0, length, ReadWrite, Shared, file, 0);

    /// <summary>Maps a file; what is written stays here.</summary>
    /// <returns>-1 when there is no room for it.</returns>
    public static nint MapPrivate(SafeFileHandle file, nint length) => MMap(0, length, ReadWrite, Private, file, 0);

    public static void Unmap(nint pages, nint length) => _ = MUnmap(pages, length);

    /// <summary>Has a file's pages made, if there is memory for them.</summary>
    public static bool TryAllocate(SafeFileHandle file, long offset, long length) => FAllocate(file, 0, (nint)offset, (nint)length) == 0;

    /// <summary>Has pages made and mapped, so that writing to them cannot fail.</summary>
    /// <returns>False where the kernel does not know how to.</returns>
    /// <exception cref="IOException">There is no memory for them.</exception>
    public static bool Populate(nint pages, nint length)
    {
        if (MAdvise(pages, length, PopulateWrite) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error is NoMemory or BadAddress ? throw new IOException($"{Marshal.GetPInvokeErrorMessage(error)}.") : false;
    }

    /// <summary>Whether a lease for writing can be had on a file that is open to read here; it is given back at once.</summary>
    public static bool TryLease(SafeFileHandle file)
    {
        // Who opens the file at this moment has a signal sent to this process. The usual one would end it; this one nobody looks at.
        if (FCntl(file, SetSignal, Urgent) != 0 || FCntl(file, SetLease, WriteLease) != 0)
            return false;
        _ = FCntl(file, SetLease, NoLease);
        return true;
    }

    /// <summary>Replaces pages of this process by those of a file; what is written to them stays here.</summary>
    /// <returns>Whether it was done; otherwise the pages are empty ones.</returns>
    public static bool ReplacePages(nint pages, nint length, SafeFileHandle file, long offset)
    {
        var held = false;
        try
        {
            file.DangerousAddRef(ref held);
            if (MMap(pages, length, ReadWrite, Private | Fixed | NoReserve, (int)file.DangerousGetHandle(), (nint)offset) == pages)
                return true;

            // A failed call may have taken away what was there.
            RestorePages(pages, length);
            return false;
        }
        finally
        {
            if (held)
                file.DangerousRelease();
        }
    }

    /// <summary>Replaces pages of this process by empty ones of its own.</summary>
    public static bool RestorePages(nint pages, nint length) => MMap(pages, length, ReadWrite, Private | Fixed | Anonymous, -1, 0) == pages;

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemFdCreate(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl")]
    private static partial int FCntl(SafeFileHandle file, int command, int argument);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MMap(nint address, nint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint MMap(nint address, nint length, int protection, int flags, SafeFileHandle descriptor, nint offset);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int MUnmap(nint address, nint length);

    [LibraryImport("libc", EntryPoint = "madvise", SetLastError = true)]
    private static partial int MAdvise(nint address, nint length, int advice);

    [LibraryImport("libc", EntryPoint = "fallocate")]
    private static partial int FAllocate(SafeFileHandle file, int mode, nint offset, nint length);
}
