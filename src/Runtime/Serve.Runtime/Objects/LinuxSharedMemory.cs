using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>Linux system calls for shared memory that .NET does not expose.</summary>
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

    /// <summary>Creates anonymous shared memory (memfd): a file without a name that is freed when the last process that has it open or mapped exits.</summary>
    /// <exception cref="IOException">The kernel refused.</exception>
    public static SafeFileHandle CreateFile(string name)
    {
        var descriptor = MemFdCreate(name, CloseOnExec | AllowSealing);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw new IOException($"Shared memory could not be created: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}.");
    }

    /// <summary>Seals a file against every further change.</summary>
    public static void Seal(SafeFileHandle file) => _ = FCntl(file, AddSeals, SealSealShrinkGrow | SealWrite);

    /// <summary>Seals a file against every further change except writes through existing mappings.</summary>
    /// <returns>Whether the kernel supports this seal.</returns>
    public static bool SealExceptMappings(SafeFileHandle file) => FCntl(file, AddSeals, SealSealShrinkGrow | SealFutureWrite) == 0;

    /// <summary>Maps a file; writes change the file.</summary>
    /// <returns>The address, or -1 on failure.</returns>
    public static nint MapShared(SafeFileHandle file, nint length) => MMap(0, length, ReadWrite, Shared, file, 0);

    /// <summary>Maps a file copy-on-write; writes stay in this process.</summary>
    /// <returns>The address, or -1 on failure.</returns>
    public static nint MapPrivate(SafeFileHandle file, nint length) => MMap(0, length, ReadWrite, Private, file, 0);

    public static void Unmap(nint pages, nint length) => _ = MUnmap(pages, length);

    /// <summary>Allocates a file's pages if memory is available.</summary>
    public static bool TryAllocate(SafeFileHandle file, long offset, long length) => FAllocate(file, 0, (nint)offset, (nint)length) == 0;

    /// <summary>Allocates and maps pages, so that writing to them cannot fault.</summary>
    /// <returns>False if the kernel does not support this.</returns>
    /// <exception cref="IOException">Not enough memory is available.</exception>
    public static bool Populate(nint pages, nint length)
    {
        if (MAdvise(pages, length, PopulateWrite) == 0)
            return true;
        var error = Marshal.GetLastPInvokeError();
        return error is NoMemory or BadAddress ? throw new IOException($"{Marshal.GetPInvokeErrorMessage(error)}.") : false;
    }

    /// <summary>Returns whether the kernel grants a write lease on a file that is open for reading here. The lease is released immediately.</summary>
    public static bool TryLease(SafeFileHandle file)
    {
        // A process that opens the file during the lease causes a signal to this process. The default signal would terminate it; SIGURG is ignored by default.
        if (FCntl(file, SetSignal, Urgent) != 0 || FCntl(file, SetLease, WriteLease) != 0)
            return false;
        _ = FCntl(file, SetLease, NoLease);
        return true;
    }

    /// <summary>Replaces pages of this process by pages of a file, copy-on-write.</summary>
    /// <returns>Whether it succeeded; otherwise the pages are empty.</returns>
    public static bool ReplacePages(nint pages, nint length, SafeFileHandle file, long offset)
    {
        var held = false;
        try
        {
            file.DangerousAddRef(ref held);
            if (MMap(pages, length, ReadWrite, Private | Fixed | NoReserve, (int)file.DangerousGetHandle(), (nint)offset) == pages)
                return true;

            // A failed call may have unmapped the previous pages.
            RestorePages(pages, length);
            return false;
        }
        finally
        {
            if (held)
                file.DangerousRelease();
        }
    }

    /// <summary>Replaces pages of this process by empty private ones.</summary>
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
