using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Serve.Gateway.Tests;

/// <summary>Clients can read the response of a request that is rejected before its end.</summary>
public sealed class RejectedRequestTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public async Task Post_BodyOverLimit_ClientThatSendsFirstReads413(bool forwarded, bool chunked)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { MaxRequestBodyBytes = 1000 } });
        GatewayRequestTests.Place(gateway, worker, forwarded, context => context.Request.Body.CopyToAsync(Stream.Null, context.RequestAborted));
        await gateway.PublishAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, gateway.Address.Port);
        var stream = client.GetStream();
        const int Size = 20_000_000;

        // More than all buffers: the server must receive it before the client reads.
        await WriteAsync(stream, $"POST /x HTTP/1.1\r\nHost: localhost\r\n{(chunked ? "Transfer-Encoding: chunked" : $"Content-Length: {Size}")}\r\n\r\n");
        var part = new byte[100_000];
        for (var sent = 0; sent < Size; sent += part.Length)
        {
            if (chunked)
                await WriteAsync(stream, part.Length.ToString("x", CultureInfo.InvariantCulture) + "\r\n");
            await stream.WriteAsync(part).AsTask().WaitAsync(Bound);
            if (chunked)
                await WriteAsync(stream, "\r\n");
        }

        if (chunked)
            await WriteAsync(stream, "0\r\n\r\n");

        using var reader = new StreamReader(stream);
        var response = await reader.ReadToEndAsync().WaitAsync(Bound);
        Assert.StartsWith("HTTP/1.1 413 ", response, StringComparison.Ordinal);
        Assert.Contains("max_request_body_bytes", response, StringComparison.Ordinal);
    }

    private static Task WriteAsync(NetworkStream stream, string text) => stream.WriteAsync(Encoding.ASCII.GetBytes(text)).AsTask().WaitAsync(Bound);
}
