using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Serve.Gateway.Listening;

namespace Serve.Gateway.Requests;

/// <summary>
/// Body of a response over HTTP/2 that reports its pending writes to the <see cref="SlowReaderMonitor"/>: flow control holds back the data of a stream while its connection has none to send.
/// Written by the request's own flow.
/// </summary>
internal sealed class ObservedResponseBody : PipeWriter, IHttpResponseBodyFeature
{
    /// <summary>Size of the writes that a stream write is divided into, so that each shows progress.</summary>
    private const int MaxWriteSize = 1 << 16;

    private readonly HttpContext _context;
    private readonly IHttpResponseBodyFeature _inner;
    private readonly SlowReaderMonitor _readers;
    private BodyStream? _stream;
    private long _unflushed;

    private ObservedResponseBody(HttpContext context, IHttpResponseBodyFeature inner, SlowReaderMonitor readers) => (_context, _inner, _readers) = (context, inner, readers);

    public override bool CanGetUnflushedBytes => _inner.Writer.CanGetUnflushedBytes;

    public override long UnflushedBytes => _inner.Writer.UnflushedBytes;

    Stream IHttpResponseBodyFeature.Stream => _stream ??= new(this);

    PipeWriter IHttpResponseBodyFeature.Writer => this;

    /// <summary>Observes the response of a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="readers">Receives the pending writes.</param>
    public static void Attach(HttpContext context, SlowReaderMonitor readers) =>
        context.Features.Set<IHttpResponseBodyFeature>(new ObservedResponseBody(context, context.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), readers));

    public override void Advance(int bytes)
    {
        _unflushed += bytes;
        _inner.Writer.Advance(bytes);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0) => _inner.Writer.GetMemory(sizeHint);

    public override Span<byte> GetSpan(int sizeHint = 0) => _inner.Writer.GetSpan(sizeHint);

    public override void CancelPendingFlush() => _inner.Writer.CancelPendingFlush();

    public override void Complete(Exception? exception = null) => _inner.Writer.Complete(exception);

    public override ValueTask CompleteAsync(Exception? exception = null) => _inner.Writer.CompleteAsync(exception);

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        var flush = _inner.Writer.FlushAsync(cancellationToken);
        return flush.IsCompleted ? Flushed(flush) : ObserveAsync(flush);
    }

    public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
    {
        _unflushed += source.Length;
        var flush = _inner.Writer.WriteAsync(source, cancellationToken);
        return flush.IsCompleted ? Flushed(flush) : ObserveAsync(flush);
    }

    void IHttpResponseBodyFeature.DisableBuffering() => _inner.DisableBuffering();

    Task IHttpResponseBodyFeature.StartAsync(CancellationToken cancellationToken) => _inner.StartAsync(cancellationToken);

    Task IHttpResponseBodyFeature.CompleteAsync() => _inner.CompleteAsync();

    Task IHttpResponseBodyFeature.SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken) =>
        SendFileFallback.SendFileAsync(_stream ??= new(this), path, offset, count, cancellationToken);

    private ValueTask<FlushResult> Flushed(ValueTask<FlushResult> flush)
    {
        _unflushed = 0;
        return flush;
    }

    private async ValueTask<FlushResult> ObserveAsync(ValueTask<FlushResult> flush)
    {
        using (_readers.BeginWrite(_context, WritesOf(_unflushed)))
        {
            _unflushed = 0;
            return await flush;
        }
    }

    private async Task ObserveAsync(Task write)
    {
        using (_readers.BeginWrite(_context, writes: 1))
            await write;
    }

    private static int WritesOf(long bytes) => (int)Math.Min(int.MaxValue, 1 + (bytes / MaxWriteSize));

    /// <summary>The server's stream, with observed writes. Holds no state.</summary>
    private sealed class BodyStream(ObservedResponseBody body) : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        private Stream Inner => body._inner.Stream;

        public override void Flush() => Inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken)
        {
            var flush = Inner.FlushAsync(cancellationToken);
            return flush.IsCompleted ? flush : body.ObserveAsync(flush);
        }

        public override void Write(byte[] buffer, int offset, int count) => Inner.Write(buffer, offset, count);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (buffer.Length > MaxWriteSize)
                return WriteInPartsAsync(buffer, cancellationToken);
            var write = Inner.WriteAsync(buffer, cancellationToken);
            return write.IsCompleted ? write : new(body.ObserveAsync(write.AsTask()));
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private async ValueTask WriteInPartsAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken)
        {
            for (; !buffer.IsEmpty; buffer = buffer[Math.Min(MaxWriteSize, buffer.Length)..])
                await WriteAsync(buffer[..Math.Min(MaxWriteSize, buffer.Length)], cancellationToken);
        }
    }
}
