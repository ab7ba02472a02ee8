using Microsoft.Win32.SafeHandles;

namespace Serve.Runtime.Objects;

/// <summary>Has the kernel find pages for a part of a file on another thread, ahead of one that fills them; nobody waits for it. Its state is written by the two of them.</summary>
internal sealed class PagesAhead : IThreadPoolWorkItem, IDisposable
{
    private readonly SafeFileHandle file;
    private readonly long offset;
    private readonly long length;
    private readonly long chunk;
    private long reached;

    public PagesAhead(SafeFileHandle file, long offset, long length, long chunk)
    {
        this.file = file;
        this.offset = offset;
        this.length = length;
        this.chunk = chunk;
        if (length > chunk && Environment.ProcessorCount > 1)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>The other is about to fill the chunk that begins here.</summary>
    public void Reached(long done) => Volatile.Write(ref reached, done);

    public void Dispose() => Volatile.Write(ref reached, length);

    void IThreadPoolWorkItem.Execute()
    {
        try
        {
            for (var next = chunk; next < length; next += chunk)
            {
                next = Math.Max(next, Volatile.Read(ref reached) + chunk);
                if (next >= length || !NativeMemory.TryAllocate(file, offset + next, Math.Min(chunk, length - next)))
                    return;
            }
        }
        catch (ObjectDisposedException)
        {
            // It came so late that the file is gone already. What fails here is told by who fills the pages.
        }
    }
}
