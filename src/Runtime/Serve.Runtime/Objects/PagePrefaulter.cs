using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>Allocates the pages of a file region on another thread, ahead of the thread that fills them. Its state is written by these two threads.</summary>
internal sealed class PagePrefaulter : IThreadPoolWorkItem, IDisposable
{
    private readonly SafeFileHandle _file;
    private readonly long _offset;
    private readonly long _length;
    private readonly long _chunk;
    private long _reached;

    public PagePrefaulter(SafeFileHandle file, long offset, long length, long chunk)
    {
        _file = file;
        _offset = offset;
        _length = length;
        _chunk = chunk;
        if (length > chunk && Environment.ProcessorCount > 1)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>Reports that the other thread is about to fill the chunk at this offset.</summary>
    public void ReportProgress(long done) => Volatile.Write(ref _reached, done);

    public void Dispose() => Volatile.Write(ref _reached, _length);

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            for (var next = _chunk; next < _length; next += _chunk)
            {
                next = Math.Max(next, Volatile.Read(ref _reached) + _chunk);
                if (next >= _length || !LinuxSharedMemory.TryAllocate(_file, _offset + next, Math.Min(_chunk, _length - next)))
                    return;
            }
        }
        catch (ObjectDisposedException)
        {
            // Started too late: the file is already closed. Errors are reported by the thread that fills the pages.
        }
    }
}
