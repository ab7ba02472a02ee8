using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Prometheus;
using Serve.Routing;

namespace Serve.Gateway.Listening;

/// <summary>
/// Disconnects clients that read their responses too slowly, so that they do not occupy replicas. Counts the bytes that a client's system acknowledges while more are waiting for it: Kestrel's
/// minimum rate counts bytes when the kernel buffers them, megabytes ahead of the client. A connection without data to send, such as an idle event stream, is never slow. Linux only.
/// Streams of HTTP/2 whose window is closed have no data in their connection; they are reset if a write of theirs waits too long, on every system.
/// While requests wait for a replica of an ingress, the limits are a sixth of their values: many slow clients that follow each other would make others wait for a whole limit each time.
/// </summary>
/// <param name="options">The gateway's settings.</param>
/// <param name="table">The requests that wait.</param>
/// <param name="time">Clock of the limit.</param>
/// <param name="log">Receives the number of disconnected clients.</param>
internal sealed partial class SlowReaderMonitor(GatewayOptions options, RouteTable table, TimeProvider time, ILogger<SlowReaderMonitor> log) : IDisposable
{
    /// <summary>Kestrel's default of <c>MinResponseDataRate</c>.</summary>
    private const int MinBytesPerSecond = 240;

    private const int ScansPerLimit = 12;

    /// <summary>Limit of a write of HTTP/2, which all streams of a connection may share, in multiples of the limit of a connection.</summary>
    private const int LimitsPerWrite = 4;

    private const int DivisorWhileQueued = 6;

    private static readonly Counter Disconnected = Prometheus.Metrics.CreateCounter(
        "serve_num_slow_http_clients_total", "Connections and HTTP/2 streams that were closed because the client read its response too slowly.");

    private readonly ConcurrentDictionary<ConnectionContext, ReadProgress> _connections = new();
    private readonly ConcurrentDictionary<PendingWrite, byte> _writes = new();
    private System.Threading.ITimer? _timer;

    /// <summary>Watches a connection until it is closed.</summary>
    /// <param name="connection">The connection.</param>
    public void Watch(ConnectionContext connection)
    {
        if (!OperatingSystem.IsLinux() || connection.Features.Get<IConnectionSocketFeature>()?.Socket is not { } socket)
            return;
        LazyInitializer.EnsureInitialized(ref _timer, StartTimer);
        _connections[connection] = new(socket) { Since = time.GetTimestamp() };
        connection.ConnectionClosed.UnsafeRegister(state => _connections.TryRemove((ConnectionContext)state!, out _), connection);
    }

    /// <summary>Watches a write of an HTTP/2 response that waits for the client.</summary>
    /// <param name="context">The request; aborted if the write waits too long.</param>
    /// <param name="writes">Number of writes of usual size that it is as large as.</param>
    /// <returns>Ends the watch when the write has completed.</returns>
    public IDisposable BeginWrite(HttpContext context, int writes)
    {
        LazyInitializer.EnsureInitialized(ref _timer, StartTimer);
        var write = new PendingWrite(this, context, time.GetTimestamp(), writes * LimitsPerWrite * options.ResponseStallTimeout);
        _writes[write] = 0;
        return write;
    }

    public void Dispose() => _timer?.Dispose();

    private System.Threading.ITimer StartTimer()
    {
        var interval = options.ResponseStallTimeout / ScansPerLimit;
        return time.CreateTimer(_ => Scan(), null, interval, interval);
    }

    private void Scan()
    {
        var divisor = table.Current.ByLongestPrefix.Any(static entry => entry.Ingress.Queued > 0) ? DivisorWhileQueued : 1;
        var limit = options.ResponseStallTimeout / divisor;
        var count = 0;
        EndPoint? first = null;
        foreach (var (connection, progress) in _connections)
        {
            if (!IsSlow(progress, limit) || !_connections.TryRemove(connection, out _))
                continue;
            count++;
            first ??= connection.RemoteEndPoint;
            connection.Abort(new ConnectionAbortedException("The client read its response too slowly."));
        }

        if (count > 0)
            Log.ClientsDisconnected(log, count, MinBytes(limit), limit.TotalSeconds, first);
        var streams = _writes.Keys.Count(write => time.GetElapsedTime(write.Since) >= write.Limit / divisor && write.TryAbort());
        if (streams > 0)
            Log.StreamsReset(log, streams, LimitsPerWrite * limit.TotalSeconds);
        Disconnected.Inc(count + streams);
    }

    private static long MinBytes(TimeSpan period) => (long)(MinBytesPerSecond * period.TotalSeconds);

    private bool IsSlow(ReadProgress progress, TimeSpan limit)
    {
        if (TcpSendState.Read(progress.Socket) is not { } state)
            return false;
        var acknowledged = state.AcknowledgedBytes - progress.AcknowledgedBytes;
        if (!state.HasWaitingData || acknowledged >= MinBytes(options.ResponseStallTimeout))
        {
            (progress.Since, progress.AcknowledgedBytes) = (time.GetTimestamp(), state.AcknowledgedBytes);
            return false;
        }

        var elapsed = time.GetElapsedTime(progress.Since);
        return elapsed >= limit && acknowledged < MinBytes(elapsed);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4005, Level = LogLevel.Warning, Message = "{Count} slow client connection(s) closed: less than {Bytes} bytes of a response read in {Seconds:0.#} s; the first client was {Client}")]
        public static partial void ClientsDisconnected(ILogger logger, int count, long bytes, double seconds, EndPoint? client);

        [LoggerMessage(EventId = 4006, Level = LogLevel.Warning, Message = "{Count} HTTP/2 response(s) reset: their clients did not accept data for {Seconds:0.#} s")]
        public static partial void StreamsReset(ILogger logger, int count, double seconds);
    }

    /// <summary>A write that waits for its client. Ends when the write completes or is aborted, whichever is first: afterwards the server reuses the context.</summary>
    private sealed class PendingWrite(SlowReaderMonitor owner, HttpContext context, long since, TimeSpan limit) : IDisposable
    {
        private readonly Lock _ending = new();
        private bool _hasEnded;

        public long Since => since;

        public TimeSpan Limit => limit;

        public bool TryAbort()
        {
            lock (_ending)
            {
                if (_hasEnded)
                    return false;
                _hasEnded = true;
                context.Abort();
                return true;
            }
        }

        public void Dispose()
        {
            owner._writes.TryRemove(this, out _);
            lock (_ending)
                _hasEnded = true;
        }
    }

    /// <summary>Progress of one connection. Written by the scan only.</summary>
    private sealed class ReadProgress(Socket socket)
    {
        public Socket Socket => socket;

        /// <summary>Gets or sets the time at which <see cref="AcknowledgedBytes"/> was recorded.</summary>
        public long Since { get; set; }

        public long AcknowledgedBytes { get; set; }
    }
}

/// <summary>The sending side of a TCP connection, as Linux reports it.</summary>
/// <param name="HasWaitingData">Whether data are buffered that the peer has not acknowledged.</param>
/// <param name="AcknowledgedBytes">Bytes that the peer has acknowledged since the connection was opened.</param>
internal readonly record struct TcpSendState(bool HasWaitingData, long AcknowledgedBytes)
{
    // struct tcp_info of linux/tcp.h, whose fields keep their places.
    private const int Tcp = 6;
    private const int TcpInfo = 11;
    private const int Unacknowledged = 24;
    private const int BytesAcknowledged = 120;
    private const int BytesNotSent = 144;
    private const int Size = 148;

    /// <summary>Reads the state of a socket.</summary>
    /// <param name="socket">The socket.</param>
    /// <returns>Null if the socket has been closed or the system does not report its state.</returns>
    public static TcpSendState? Read(Socket socket)
    {
        Span<byte> info = stackalloc byte[Size];
        try
        {
            if (socket.GetRawSocketOption(Tcp, TcpInfo, info) < Size)
                return null;
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            return null;
        }

        var waiting = BinaryPrimitives.ReadUInt32LittleEndian(info[Unacknowledged..]) + BinaryPrimitives.ReadUInt32LittleEndian(info[BytesNotSent..]);
        return new(waiting > 0, BinaryPrimitives.ReadInt64LittleEndian(info[BytesAcknowledged..]));
    }
}
