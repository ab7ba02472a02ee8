using System.Globalization;
using System.Net;
using System.Text;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Serve.Gateway.Listening;

/// <summary>
/// A cleartext port for HTTP/1.1 and HTTP/2 with prior knowledge. Kestrel serves one protocol per endpoint, so it binds two endpoints here; each accepted connection is
/// handed to the endpoint of the protocol that its first bytes announce. Started by the first endpoint that is bound, stopped by the first that is unbound.
/// </summary>
/// <param name="addresses">Addresses to listen on. At least one must be available.</param>
/// <param name="firstByteTimeout">How long a connection may stay silent before it is closed.</param>
/// <param name="time">Clock of the timeout.</param>
/// <param name="maxConnections">Maximum number of open connections, including silent ones; further ones are refused. Null for no limit.</param>
internal sealed class SharedPort(IReadOnlyList<IPEndPoint> addresses, TimeSpan firstByteTimeout, TimeProvider time, int? maxConnections = null) : IAsyncDisposable
{
    private const string RefusalProblem = "{\"title\":\"Overloaded.\",\"status\":503,\"detail\":\"The node has too many connections.\",\"reason\":\"overloaded\"}";

    // Whatever protocol the client speaks: it learns at least that the connection was closed on purpose.
    private static readonly byte[] Refusal = Encoding.ASCII.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Type: application/problem+json\r\nContent-Length: {RefusalProblem.Length}\r\n\r\n{RefusalProblem}"));

    // Connections that Kestrel has not accepted yet; more wait in their detection task, and then in the socket's backlog.
    private const int PendingConnections = 512;

    private readonly Channel<ConnectionContext> _http1 = Channel.CreateBounded<ConnectionContext>(PendingConnections);
    private readonly Channel<ConnectionContext> _http2 = Channel.CreateBounded<ConnectionContext>(PendingConnections);
    private readonly CancellationTokenSource _stopping = new();
    private readonly List<IConnectionListener> _sockets = [];
    private readonly List<Task> _acceptLoops = [];
    private SlowReaderMonitor? _readers;
    private Task? _stopped;
    private int _connections;

    /// <summary>Gets the endpoints for Kestrel, one per protocol.</summary>
    public IEnumerable<(EndPoint EndPoint, HttpProtocols Protocol)> EndPoints =>
        [(new ProtocolEndPoint(this, _http1), HttpProtocols.Http1), (new ProtocolEndPoint(this, _http2), HttpProtocols.Http2)];

    public override string ToString() => string.Join(", ", addresses);

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await CloseSocketsAsync();
        while (_http1.Reader.TryRead(out var connection) || _http2.Reader.TryRead(out connection))
            await connection.DisposeAsync();
    }

    private async ValueTask<IConnectionListener> BindAsync(Channel<ConnectionContext> connections, IConnectionListenerFactory transport, SlowReaderMonitor readers, CancellationToken cancellationToken)
    {
        _readers = readers;
        if (_sockets.Count == 0)
            await ListenAsync(transport, cancellationToken);
        return new ProtocolListener(this, connections.Reader, _sockets[0].EndPoint);
    }

    private async Task ListenAsync(IConnectionListenerFactory transport, CancellationToken cancellationToken)
    {
        Exception? unavailable = null;
        foreach (var address in addresses)
        {
            try
            {
                _sockets.Add(await transport.BindAsync(address, cancellationToken));
            }
            catch (Exception error) when (addresses.Count > 1 && error is not (AddressInUseException or OperationCanceledException))
            {
                // The name localhost has an address per family, and a machine may lack one family.
                unavailable = error;
            }
            catch
            {
                await CloseSocketsAsync();
                throw;
            }
        }

        if (_sockets.Count == 0)
            throw new IOException($"Failed to bind to {this}.", unavailable);
        foreach (var socket in _sockets)
            _acceptLoops.Add(AcceptAsync(socket));
    }

    private async Task CloseSocketsAsync()
    {
        foreach (var socket in _sockets)
            await socket.DisposeAsync();
        _sockets.Clear();
    }

    private Task StopAsync() => _stopped ??= StopOnceAsync();

    private async Task StopOnceAsync()
    {
        await _stopping.CancelAsync();
        foreach (var socket in _sockets)
            await socket.UnbindAsync();
        await Task.WhenAll(_acceptLoops);
        Complete(null);
    }

    private async Task AcceptAsync(IConnectionListener socket)
    {
        try
        {
            // Not awaited: a silent client must not delay the others.
            while (await socket.AcceptAsync() is { } connection)
                _ = TryCount(connection) ? DispatchAsync(connection) : RefuseAsync(connection);
        }
        catch (Exception error)
        {
            // Reaches Kestrel, which logs it.
            Complete(error);
        }
    }

    private bool TryCount(ConnectionContext connection)
    {
        if (Interlocked.Increment(ref _connections) > maxConnections)
        {
            Interlocked.Decrement(ref _connections);
            return false;
        }

        _readers!.Watch(connection);
        connection.ConnectionClosed.UnsafeRegister(static port => Interlocked.Decrement(ref ((SharedPort)port!)._connections), this);
        return true;
    }

    private static async Task RefuseAsync(ConnectionContext connection)
    {
        try
        {
            await connection.Transport.Output.WriteAsync(Refusal);
            await connection.Transport.Output.CompleteAsync();
        }
        catch (Exception error) when (error is ConnectionResetException or ConnectionAbortedException or IOException)
        {
            // The client has gone.
        }
        finally
        {
            await connection.DisposeAsync();
        }
    }

    private void Complete(Exception? error)
    {
        _http1.Writer.TryComplete(error);
        _http2.Writer.TryComplete(error);
    }

    private async Task DispatchAsync(ConnectionContext connection)
    {
        try
        {
            var input = connection.Transport.Input;
            var protocol = input.TryRead(out var first) ? Http2Preface.Detect(input, first) : null;
            protocol ??= await WaitForFirstBytesAsync(connection);
            await (protocol == HttpProtocols.Http2 ? _http2 : _http1).Writer.WriteAsync(connection, _stopping.Token);
        }
        catch (Exception error) when (error is OperationCanceledException or ConnectionResetException or ConnectionAbortedException or ChannelClosedException)
        {
            connection.Abort(new("The client sent no request in time, disconnected, or the server is stopping."));
            await connection.DisposeAsync();
        }
    }

    private async Task<HttpProtocols> WaitForFirstBytesAsync(ConnectionContext connection)
    {
        using var timeout = new CancellationTokenSource(firstByteTimeout, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token, timeout.Token);
        while (true)
        {
            var input = connection.Transport.Input;
            if (Http2Preface.Detect(input, await input.ReadAsync(end.Token)) is { } protocol)
                return protocol;
        }
    }

    /// <summary>Binds the endpoints of shared ports; Kestrel asks it before its own socket transport.</summary>
    internal sealed class ListenerFactory(IOptions<SocketTransportOptions> options, SlowReaderMonitor readers, ILoggerFactory loggers) : IConnectionListenerFactory, IConnectionListenerFactorySelector
    {
        private readonly SocketTransportFactory _sockets = new(options, loggers);

        public bool CanBind(EndPoint endpoint) => endpoint is ProtocolEndPoint;

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
            ((ProtocolEndPoint)endpoint).BindAsync(_sockets, readers, cancellationToken);
    }

    /// <summary>One protocol of the port, as an address that Kestrel can bind.</summary>
    private sealed class ProtocolEndPoint(SharedPort port, Channel<ConnectionContext> connections) : EndPoint
    {
        public ValueTask<IConnectionListener> BindAsync(IConnectionListenerFactory transport, SlowReaderMonitor readers, CancellationToken cancellationToken) =>
            port.BindAsync(connections, transport, readers, cancellationToken);

        // Kestrel names the endpoint when it cannot be bound.
        public override string ToString() => port.ToString();
    }

    private sealed class ProtocolListener(SharedPort port, ChannelReader<ConnectionContext> connections, EndPoint endPoint) : IConnectionListener
    {
        public EndPoint EndPoint => endPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await connections.WaitToReadAsync(cancellationToken))
            {
                if (connections.TryRead(out var connection))
                    return connection;
            }

            return null;
        }

        public async ValueTask UnbindAsync(CancellationToken cancellationToken = default) => await port.StopAsync();

        public ValueTask DisposeAsync() => port.DisposeAsync();
    }
}
