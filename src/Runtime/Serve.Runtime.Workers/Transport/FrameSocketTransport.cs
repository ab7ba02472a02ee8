using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Serve.Runtime.Workers.Transport;

/// <summary>Purpose of a connection between two processes; the connecting process sends it after its token.</summary>
internal enum ConnectionPurpose : byte
{
    /// <summary>A driver uses a worker for tasks and actors of its cluster.</summary>
    Cluster = (byte)'C',

    /// <summary>A process calls actors that the other one hosts; a node also creates and stops them.</summary>
    ActorHost = (byte)'A',
}

/// <summary>
/// Connections between the processes of one machine: on Linux sockets with an abstract name, elsewhere loopback ports. The connecting process presents the
/// token of the other one, which confirms it with one byte, so that a rejected connection never carries a frame.
/// </summary>
internal static class FrameSocketTransport
{
    private const int SendBufferSize = 1 << 18;
    private const int Backlog = 64;
    private const byte Accepted = 1;
    private static readonly TimeSpan HandshakeTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Creates a token: 64 hexadecimal digits.</summary>
    public static string CreateToken() => Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));

    /// <summary>Opens a connection.</summary>
    /// <exception cref="IOException">No process listens at the address, or it rejected the token.</exception>
    public static async Task<FrameStream> ConnectAsync(string address, string token, ConnectionPurpose purpose, CancellationToken cancellationToken) =>
        new(await OpenAsync(address, token, purpose, cancellationToken).ConfigureAwait(false));

    /// <summary>Opens the byte stream of a connection, after the greeting.</summary>
    /// <exception cref="IOException">The process rejected the connection or cannot be reached.</exception>
    public static async Task<Stream> OpenAsync(string address, string token, ConnectionPurpose purpose, CancellationToken cancellationToken)
    {
        var socket = address[0] == '@' ? CreateUnixSocket() : CreateTcpSocket();
        try
        {
            EndPoint endPoint = address[0] == '@'
                ? new UnixDomainSocketEndPoint("\0" + address[1..])
                : new IPEndPoint(IPAddress.Loopback, int.Parse(address, CultureInfo.InvariantCulture));
            await socket.ConnectAsync(endPoint, cancellationToken).ConfigureAwait(false);
            await socket.SendAsync(CreateGreeting(token, purpose), cancellationToken).ConfigureAwait(false);
            var confirmation = new byte[1];
            if (await socket.ReceiveAsync(confirmation, cancellationToken).ConfigureAwait(false) == 0)
                throw new IOException($"The process at {address} rejected the connection.");
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (Exception thrown)
        {
            socket.Dispose();
            if (thrown is SocketException)
                throw new IOException($"The process at {address} cannot be reached: {thrown.Message}", thrown);
            throw;
        }
    }

    internal static byte[] CreateGreeting(string token, ConnectionPurpose purpose) => [(byte)token.Length, .. Encoding.ASCII.GetBytes(token), (byte)purpose];

    private static Socket CreateUnixSocket() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { SendBufferSize = SendBufferSize };

    private static Socket CreateTcpSocket() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    /// <summary>Accepts connections that present a token, until disposed. Holds the connections that are open.</summary>
    internal sealed class Listener : IDisposable
    {
        private readonly Socket _socket;
        private readonly byte[] _token;
        private readonly Func<FrameStream, ConnectionPurpose, Task> _serve;

        /// <param name="token">What connecting processes present.</param>
        /// <param name="serve">Serves a connection until its end; the stream is closed when it returns.</param>
        public Listener(string token, Func<FrameStream, ConnectionPurpose, Task> serve)
        {
            _token = Encoding.ASCII.GetBytes(token);
            _serve = serve;
            var name = OperatingSystem.IsLinux() ? $"serve-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}" : null;
            _socket = name is null ? CreateTcpSocket() : CreateUnixSocket();
            _socket.Bind(name is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint("\0" + name));
            _socket.Listen(Backlog);
            Address = name is null ? ((IPEndPoint)_socket.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture) : "@" + name;
            _ = AcceptAsync();
        }

        /// <summary>The address for <see cref="ConnectAsync"/>.</summary>
        public string Address { get; }

        public void Dispose() => _socket.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var socket = await _socket.AcceptAsync().ConfigureAwait(false);
                    if (socket.AddressFamily == AddressFamily.InterNetwork)
                        socket.NoDelay = true;
                    else
                        socket.SendBufferSize = SendBufferSize;
                    _ = ServeAsync(new(socket, ownsSocket: true));
                }
            }
            catch (Exception thrown) when (thrown is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                // Disposed.
            }
        }

        private async Task ServeAsync(NetworkStream stream)
        {
            await using var closed = stream.ConfigureAwait(false);
            try
            {
                if (await ReadGreetingAsync(stream).ConfigureAwait(false) is not { } purpose)
                    return;
                stream.WriteByte(Accepted);
                await _serve(new(stream), purpose).ConfigureAwait(false);
            }
            catch (Exception thrown) when (thrown is IOException or OperationCanceledException)
            {
                // The other process has exited, or never presented a token.
            }
        }

        /// <summary>Null if the token is wrong.</summary>
        private async ValueTask<ConnectionPurpose?> ReadGreetingAsync(NetworkStream stream)
        {
            using var limit = new CancellationTokenSource(HandshakeTimeout);
            var greeting = new byte[_token.Length + 1];
            await stream.ReadExactlyAsync(greeting.AsMemory(0, 1), limit.Token).ConfigureAwait(false);
            if (greeting[0] != _token.Length)
                return null;
            await stream.ReadExactlyAsync(greeting, limit.Token).ConfigureAwait(false);
            return CryptographicOperations.FixedTimeEquals(greeting.AsSpan(0, _token.Length), _token) ? (ConnectionPurpose)greeting[^1] : null;
        }
    }
}
