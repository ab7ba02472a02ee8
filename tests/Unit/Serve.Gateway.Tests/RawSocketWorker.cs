using System.Net;
using System.Net.Sockets;
using System.Text;
using Serve.Nodes;

namespace Serve.Gateway.Tests;

/// <summary>A worker as a raw socket: responds to each request with a test's bytes, or resets the connection like a killed process.</summary>
internal sealed class RawSocketWorker : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<int, string?> _answer;

    public int Requests;

    private RawSocketWorker(Func<int, string?> answer) => _answer = answer;

    public HostProcessAddress Route => new("raw", $"http://{_listener.LocalEndpoint}", null, "token");

    /// <summary>Starts the worker.</summary>
    /// <param name="answer">Returns the response to the n-th request; null resets its connection.</param>
    public static RawSocketWorker Start(Func<int, string?> answer)
    {
        var worker = new RawSocketWorker(answer);
        worker._listener.Start();
        _ = worker.AcceptAsync();
        return worker;
    }

    public void Dispose() => _listener.Dispose();

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        var stream = client.GetStream();
        using var reader = new StreamReader(stream, Encoding.ASCII);
        while (true)
        {
            string? line;
            while ((line = await reader.ReadLineAsync()) is { Length: > 0 })
            {
            }

            if (line is null || _answer(Interlocked.Increment(ref Requests)) is not { } bytes)
                return;
            await stream.WriteAsync(Encoding.ASCII.GetBytes(bytes));
        }
    }
}
