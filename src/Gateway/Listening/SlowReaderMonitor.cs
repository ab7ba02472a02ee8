using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.Extensions.Logging;
using Prometheus;

namespace Serve.Gateway.Listening;

/// <summary>
/// Disconnects clients that read their responses too slowly, so that they do not occupy replicas. Counts the bytes that a client's system acknowledges while more are waiting for it: Kestrel's
/// minimum rate counts bytes when the kernel buffers them, megabytes ahead of the client. A connection without data to send, such as an idle event stream, is never slow. Linux only.
/// </summary>
/// <param name="options">The gateway's settings.</param>
/// <param name="time">Clock of the limit.</param>
/// <param name="log">Receives the number of disconnected clients.</param>
internal sealed partial class SlowReaderMonitor(GatewayOptions options, TimeProvider time, ILogger<SlowReaderMonitor> log) : IDisposable
{
    /// <summary>Kestrel's default of <c>MinResponseDataRate</c>.</summary>
    private const int MinBytesPerSecond = 240;

    private const int ScansPerLimit = 12;

    private static readonly Counter Disconnected = Prometheus.Metrics.CreateCounter(
        "serve_num_slow_http_clients_total", "Connections that were closed because the client read its response too slowly.");

    private readonly ConcurrentDictionary<ConnectionContext, ReadProgress> _connections = new();
    private readonly long _minBytes = (long)(MinBytesPerSecond * options.ResponseStallTimeout.TotalSeconds);
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

    public void Dispose() => _timer?.Dispose();

    private System.Threading.ITimer StartTimer()
    {
        var interval = options.ResponseStallTimeout / ScansPerLimit;
        return time.CreateTimer(_ => Scan(), null, interval, interval);
    }

    private void Scan()
    {
        var count = 0;
        EndPoint? first = null;
        foreach (var (connection, progress) in _connections)
        {
            if (!IsSlow(progress) || !_connections.TryRemove(connection, out _))
                continue;
            count++;
            first ??= connection.RemoteEndPoint;
            connection.Abort(new ConnectionAbortedException("The client read its response too slowly."));
        }

        if (count == 0)
            return;
        Disconnected.Inc(count);
        Log.ClientsDisconnected(log, count, _minBytes, options.ResponseStallTimeout.TotalSeconds, first);
    }

    private bool IsSlow(ReadProgress progress)
    {
        if (TcpSendState.Read(progress.Socket) is not { } state)
            return false;
        if (!state.HasWaitingData || state.AcknowledgedBytes - progress.AcknowledgedBytes >= _minBytes)
        {
            (progress.Since, progress.AcknowledgedBytes) = (time.GetTimestamp(), state.AcknowledgedBytes);
            return false;
        }

        return time.GetElapsedTime(progress.Since) >= options.ResponseStallTimeout;
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 4005, Level = LogLevel.Warning, Message = "{Count} slow client connection(s) closed: less than {Bytes} bytes of a response read in {Seconds} s; the first client was {Client}")]
        public static partial void ClientsDisconnected(ILogger logger, int count, long bytes, double seconds, EndPoint? client);
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
