using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;

namespace Serve.Runtime.Workers.Transport;

/// <summary>
/// Where a worker takes its head's session: on Linux a socket with a name but no file, elsewhere a loopback port. Who connects presents the worker's
/// token first. Holds no state.
/// </summary>
internal static class FrameSocketTransport
{
    private const int Buffer = 1 << 18;

    /// <summary>Listens, and runs each session that presents the token.</summary>
    /// <returns>The address for <see cref="ConnectAsync"/>.</returns>
    public static string Listen(string token, Func<FrameStream, Task> run)
    {
        var name = OperatingSystem.IsLinux() ? $"serve-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}" : null;
        var listener = name is null ? Tcp() : Unix();
        listener.Bind(name is null ? new IPEndPoint(IPAddress.Loopback, 0) : new UnixDomainSocketEndPoint("\0" + name));
        listener.Listen(1);
        _ = AcceptAsync(listener, Encoding.ASCII.GetBytes(token), run);
        return name is null ? ((IPEndPoint)listener.LocalEndPoint!).Port.ToString(CultureInfo.InvariantCulture) : "@" + name;
    }

    public static async Task<FrameStream> ConnectAsync(string address, string token, CancellationToken cancellationToken) =>
        new(await OpenAsync(address, token, cancellationToken).ConfigureAwait(false));

    /// <summary>Connects and presents the token.</summary>
    public static async Task<Stream> OpenAsync(string address, string token, CancellationToken cancellationToken)
    {
        var socket = address[0] == '@' ? Unix() : Tcp();
        try
        {
            EndPoint to = address[0] == '@'
                ? new UnixDomainSocketEndPoint("\0" + address[1..])
                : new IPEndPoint(IPAddress.Loopback, int.Parse(address, CultureInfo.InvariantCulture));
            await socket.ConnectAsync(to, cancellationToken).ConfigureAwait(false);
            await socket.SendAsync(Encoding.ASCII.GetBytes(token), cancellationToken).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket Unix() => new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { SendBufferSize = Buffer };

    private static Socket Tcp() => new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private static async Task AcceptAsync(Socket listener, byte[] token, Func<FrameStream, Task> run)
    {
        while (true)
        {
            var socket = await listener.AcceptAsync().ConfigureAwait(false);
            if (listener.AddressFamily == AddressFamily.InterNetwork)
                socket.NoDelay = true;
            else
                socket.SendBufferSize = Buffer;
            _ = ServeAsync(new(socket, ownsSocket: true), token, run);
        }
    }

    private static async Task ServeAsync(NetworkStream stream, byte[] token, Func<FrameStream, Task> run)
    {
        await using var closed = stream;
        try
        {
            var presented = new byte[token.Length];
            await stream.ReadExactlyAsync(presented).ConfigureAwait(false);
            if (CryptographicOperations.FixedTimeEquals(presented, token))
                await run(new(stream)).ConfigureAwait(false);
        }
        catch (IOException)
        {
            // Whoever it was is gone.
        }
    }
}
