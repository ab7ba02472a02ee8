using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Serve.Gateway.Tests;

/// <summary>Clients that read their responses slowly or not at all, in isolation <c>none</c> and in front of a worker.</summary>
public sealed partial class SlowReaderTests
{
    private const int Slots = 20;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(1);
    private static readonly GatewayOptions Options = new() { ResponseStallTimeout = Limit };

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_SlowReadersOnAllSlots_AreDisconnectedAndOthersServed(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(Options);
        Place(gateway, worker, forwarded, context => context.Request.Path == "/large" ? WriteEndlesslyAsync(context) : context.Response.WriteAsync("small"), Slots);
        await gateway.PublishAsync();
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, Slots + 10).Select(_ => ReadSlowlyAsync(gateway.Address.Port, stop.Token)).ToArray();
        await Eventually.TrueAsync(() => Ongoing(gateway) == Slots);

        Assert.Equal("small", await gateway.Client.GetStringAsync("/x").SoonAsync());

        // Also those that waited for a replica while the others occupied it.
        await Eventually.TrueAsync(() => Disconnected(gateway) == Slots + 10, () => $"{Disconnected(gateway)} disconnected");
        await Eventually.TrueAsync(() => Ongoing(gateway) == 0);
        await stop.CancelAsync();
        await Task.WhenAll(clients).SoonAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_SlowReadersInQueue_CostASixthOfTheLimitEach(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(new() { ResponseStallTimeout = 6 * Limit });
        Place(gateway, worker, forwarded, context => context.Request.Path == "/large" ? WriteEndlesslyAsync(context) : context.Response.WriteAsync("small"), max: 2);
        await gateway.PublishAsync();
        using var stop = new CancellationTokenSource();
        var clients = Enumerable.Range(0, 6).Select(_ => ReadSlowlyAsync(gateway.Address.Port, stop.Token)).ToArray();
        await Eventually.TrueAsync(() => Ongoing(gateway) == 2 && Queued(gateway) == 4);

        // Served after at least two rounds of slow clients.
        Assert.Equal("small", await gateway.Client.GetStringAsync("/x").SoonAsync());

        Assert.True(Disconnected(gateway) >= 5, $"{Disconnected(gateway)} disconnected");
        Assert.Contains(gateway.Logged, line => line.Contains("less than 240 bytes of a response read in 1 s", StringComparison.Ordinal));
        Assert.DoesNotContain(gateway.Logged, line => line.Contains(" in 6 s", StringComparison.Ordinal));
        await stop.CancelAsync();
        await Task.WhenAll(clients).SoonAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_Http2WindowStaysClosed_ResponseIsResetAndOthersServed(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(Options);
        Place(gateway, worker, forwarded, context => context.Request.Path == "/large" ? WriteEndlesslyAsync(context) : context.Response.WriteAsync("small"), max: 2);
        await gateway.PublishAsync();

        // The client's window is filled, and opened again only when its response is read.
        var responses = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => gateway.Client.SendAsync(
            new(HttpMethod.Get, "/x/large") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact }, HttpCompletionOption.ResponseHeadersRead))).SoonAsync();

        Assert.Equal("small", await gateway.Client.GetStringAsync("/x").SoonAsync());

        await Eventually.TrueAsync(() => gateway.Logged.Any(line => line.Contains("HTTP/2 response(s) reset: their clients did not accept data for 0.7 s", StringComparison.Ordinal)));
        await Eventually.TrueAsync(() => Ongoing(gateway) == 0);
        await Assert.ThrowsAnyAsync<Exception>(() => responses[0].Content.ReadAsByteArrayAsync().SoonAsync());
        Array.ForEach(responses, response => response.Dispose());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_NoDataForLongerThanLimit_StreamAndWebSocketContinue(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(Options);
        using var next = new SemaphoreSlim(0);
        Place(gateway, worker, forwarded, context => context.WebSockets.IsWebSocketRequest ? EchoAsync(context) : WriteEventsAsync(context, next));
        await gateway.PublishAsync();
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(gateway.Address.ToString().Replace("http", "ws", StringComparison.Ordinal) + "x"), default).SoonAsync();
        using var response = await gateway.Client.GetAsync("/x", HttpCompletionOption.ResponseHeadersRead).SoonAsync();
        using var events = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data", await events.ReadLineAsync().SoonAsync());

        // A slow client is disconnected after the idle connections were opened, and so after they have been idle for the limit.
        using var stop = new CancellationTokenSource();
        var slow = ReadSlowlyAsync(gateway.Address.Port, stop.Token);
        await Eventually.TrueAsync(() => Disconnected(gateway) == 1);
        next.Release();

        Assert.Equal("data", await events.ReadLineAsync().SoonAsync());
        await socket.SendAsync(Encoding.ASCII.GetBytes("hello"), WebSocketMessageType.Text, true, default).SoonAsync();
        var buffer = new byte[10];
        Assert.Equal(5, (await socket.ReceiveAsync(buffer, default).SoonAsync()).Count);
        await stop.CancelAsync();
        await slow.SoonAsync();
    }

    [Fact]
    public async Task Get_ReaderAboveMinimumRate_IsServed()
    {
        await using var gateway = await GatewayTestHost.StartAsync(Options);
        gateway.Local("r1").Http = WriteEndlesslyAsync;
        await gateway.Deploy("x", "/x", "r1").PublishAsync();
        using var stop = new CancellationTokenSource();
        var slow = ReadSlowlyAsync(gateway.Address.Port, stop.Token);
        using var client = await RequestAsync(gateway.Address.Port);
        var buffer = new byte[1 << 17];

        // Its buffers are always full, as those of the slow client; three limits long.
        using var window = new PeriodicTimer(Limit / 10);
        for (var i = 0; i < 30; i++)
        {
            await client.GetStream().ReadExactlyAsync(buffer).SoonAsync();
            await window.WaitForNextTickAsync();
        }

        Assert.Equal(1, Disconnected(gateway));
        await client.GetStream().ReadExactlyAsync(buffer).SoonAsync();
        await stop.CancelAsync();
        await slow.SoonAsync();
    }

    private static void Place(GatewayTestHost gateway, FakeWorkerServer worker, bool forwarded, RequestDelegate answer, int max = 100)
    {
        if (forwarded)
            gateway.Remote("r1", worker.Replica("r1", answer).Route);
        else
            gateway.Local("r1").Http = answer;
        gateway.Deploy("x", "/x", "r1", max);
    }

    private static int Ongoing(GatewayTestHost gateway) => gateway.Table.Current.FindApplication("x")!.Ingress.Replicas[0].Ongoing;

    private static int Queued(GatewayTestHost gateway) => gateway.Table.Current.FindApplication("x")!.Ingress.Queued;

    /// <summary>Number of clients that the gateway has logged as disconnected.</summary>
    private static int Disconnected(GatewayTestHost gateway) => gateway.Logged
        .Select(line => SlowClients().Match(line)).Where(match => match.Success).Sum(match => int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture));

    [GeneratedRegex(@"(\d+) slow client connection\(s\) closed: less than \d+ bytes of a response read in [0-9.]+ s", RegexOptions.CultureInvariant)]
    private static partial Regex SlowClients();

    private static async Task WriteEndlesslyAsync(HttpContext context)
    {
        var chunk = new byte[1 << 16];
        while (!context.RequestAborted.IsCancellationRequested)
        {
            await context.Response.Body.WriteAsync(chunk, context.RequestAborted);

            // After the connection has ended, writes complete at once until the token is canceled, by a work item of the thread pool whose threads these loops would occupy.
            await Task.Yield();
        }
    }

    private static async Task WriteEventsAsync(HttpContext context, SemaphoreSlim next)
    {
        if (context.Request.Path == "/large")
        {
            await WriteEndlesslyAsync(context);
            return;
        }

        await context.Response.WriteAsync("data\n");
        await context.Response.Body.FlushAsync();
        await next.WaitAsync();
        await context.Response.WriteAsync("data\n");
    }

    private static async Task EchoAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var buffer = new byte[10];
        var message = await socket.ReceiveAsync(buffer, context.RequestAborted);
        await socket.SendAsync(buffer.AsMemory(0, message.Count), message.MessageType, true, context.RequestAborted);
    }

    private static async Task<TcpClient> RequestAsync(int port)
    {
        var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);
        await client.GetStream().WriteAsync("GET /x/large HTTP/1.1\r\nHost: localhost\r\n\r\n"u8.ToArray());
        return client;
    }

    /// <summary>Reads 16 bytes at a time, with pauses. What its system has received stays readable after the server has closed the connection.</summary>
    private static async Task ReadSlowlyAsync(int port, CancellationToken stop)
    {
        using var client = await RequestAsync(port);
        using var pause = new PeriodicTimer(Limit / 10);
        var buffer = new byte[16];
        try
        {
            while (await client.GetStream().ReadAsync(buffer, stop) > 0)
                await pause.WaitForNextTickAsync(stop);
        }
        catch (Exception end) when (end is IOException || stop.IsCancellationRequested)
        {
            // The connection was reset, or the test ends.
        }
    }
}
