using System.Net;
using System.Net.WebSockets;
using System.Text;
using Serve.Testing;

namespace Serve.FunctionalTests.Protocol;

/// <summary>Exchanges whose parts depend on each other, against real replicas in every isolation: WebSockets, streams, and clients that leave.</summary>
[Collection(ProtocolTestCollection.Name)]
public sealed class LiveExchangeTests(IsolationNodesFixture nodes)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static TheoryData<IsolationMode> Isolations => [.. IsolationNodesFixture.Isolations];

    public static TheoryData<IsolationMode, string> WebSockets => new()
    {
        { IsolationMode.None, "1.1" },
        { IsolationMode.None, "2.0" },
        { IsolationMode.Application, "1.1" },
        { IsolationMode.Replica, "1.1" },
    };

    [Theory]
    [MemberData(nameof(WebSockets))]
    public async Task WebSocket_Messages_AreEchoedUntilClose(IsolationMode isolation, string version)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var socket = await ConnectAsync(isolation, version, "", limit.Token);
        Assert.Equal("wire.v1", socket.SubProtocol);
        var head = await ReceiveAsync(socket, limit.Token);
        Assert.StartsWith(version == "1.1" ? "HTTP/1.1 Upgrade websocket" : "HTTP/2", head, StringComparison.Ordinal);
        Assert.EndsWith(" False", head, StringComparison.Ordinal);

        foreach (var text in (string[])["hi 한", "", new string('x', 100_000)])
        {
            await socket.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, limit.Token);
            Assert.Equal(text, await ReceiveAsync(socket, limit.Token));
        }

        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "done", limit.Token);
        Assert.Equal("bye", socket.CloseStatusDescription);
    }

    [Theory]
    [MemberData(nameof(Isolations))]
    public async Task WebSocket_DeploymentThrowsOrAborts_EndsWithoutClose(IsolationMode isolation)
    {
        foreach (var end in (string[])["throw", "abort"])
        {
            using var limit = new CancellationTokenSource(Patience);
            using var socket = await ConnectAsync(isolation, "1.1", "?end=" + end, limit.Token);
            await ReceiveAsync(socket, limit.Token);
            await socket.SendAsync("x"u8.ToArray(), WebSocketMessageType.Text, true, limit.Token);

            await Assert.ThrowsAsync<WebSocketException>(() => ReceiveAsync(socket, limit.Token));
        }

        Assert.Equal("text", (await nodes[isolation].Gateway.GetStringAsync("/wire/text")).Trim('"'));
    }

    [Theory]
    [MemberData(nameof(Isolations))]
    public async Task Stream_ClientLeaves_CancelsTheDeployment(IsolationMode isolation)
    {
        var before = await AbortedAsync(isolation);
        using var client = new HttpClient { BaseAddress = nodes.AddressOf(isolation) };
        using (var response = await client.GetAsync("/wire/endless", HttpCompletionOption.ResponseHeadersRead))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            // Arrives before the response ends.
            Assert.Equal("tick", await reader.ReadLineAsync());
        }

        await Eventually.TrueAsync(async () => await AbortedAsync(isolation) > before, () => "the stream ended", Patience);
    }

    [Theory]
    [MemberData(nameof(Isolations))]
    public async Task Request_ClientLeavesBeforeResponse_CancelsTheDeployment(IsolationMode isolation)
    {
        foreach (var request in (string[])["GET /wire/wait HTTP/1.1\r\nHost: localhost\r\n\r\n", "POST /wire/wait-body HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\nhalf"])
        {
            var before = await AbortedAsync(isolation);
            using (var client = new System.Net.Sockets.TcpClient())
            {
                await client.ConnectAsync(nodes.AddressOf(isolation).Host, nodes.AddressOf(isolation).Port);
                await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
                await Task.Delay(200);
            }

            await Eventually.TrueAsync(async () => await AbortedAsync(isolation) > before, () => request, Patience);
        }
    }

    [Theory]
    [MemberData(nameof(Isolations))]
    public async Task Duplex_Http2_EachPartIsAnsweredBeforeTheNext(IsolationMode isolation)
    {
        using var limit = new CancellationTokenSource(Patience);
        using var client = new HttpClient { BaseAddress = nodes.AddressOf(isolation) };
        var parts = new DuplexContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/wire/duplex") { Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact, Content = parts };
        var sending = client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, limit.Token);
        var output = await parts.Stream.Task.WaitAsync(limit.Token);
        Stream? input = null;
        for (var i = 0; i < 5; i++)
        {
            var part = Encoding.ASCII.GetBytes($"part {i}");
            await output.WriteAsync(part, limit.Token);
            await output.FlushAsync(limit.Token);
            input ??= await (await sending).Content.ReadAsStreamAsync(limit.Token);
            var answer = new byte[part.Length];
            await input.ReadExactlyAsync(answer, limit.Token);
            Assert.Equal(part, answer);
        }

        parts.Ended.SetResult();
        Assert.Equal(0, await input!.ReadAsync(new byte[1], limit.Token));
    }

    [Theory]
    [MemberData(nameof(Isolations))]
    public async Task Post_HalfBodyUntilTimeout_Is408AndIsNotLogged(IsolationMode isolation)
    {
        foreach (var length in (int[])[100, 100_000])
        {
            var response = await RawHttpExchange.SendAsync(nodes.AddressOf(isolation), Encoding.ASCII.GetBytes(
                $"POST /wire/reader HTTP/1.1\r\nHost: localhost\r\nServe-Timeout-Ms: 300\r\nContent-Length: {length}\r\n\r\nhalf"));
            Assert.StartsWith("HTTP/1.1 408", response, StringComparison.Ordinal);
        }

        // Kestrel drains after it has responded.
        await Task.Delay(200);
        Assert.DoesNotContain("draining", nodes[isolation].Process.ToString(), StringComparison.Ordinal);
        foreach (var file in Directory.EnumerateFiles(nodes[isolation].Scratch.In("state"), "*.log", SearchOption.AllDirectories))
            Assert.DoesNotContain("draining", await ReadSharedAsync(file), StringComparison.Ordinal);
    }

    private static async Task<string> ReadSharedAsync(string file)
    {
        await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(stream);
        return await reader.ReadToEndAsync();
    }

    private async Task<int> AbortedAsync(IsolationMode isolation) =>
        int.Parse(await nodes[isolation].Gateway.GetStringAsync("/wire/aborted"), System.Globalization.CultureInfo.InvariantCulture);

    private async Task<ClientWebSocket> ConnectAsync(IsolationMode isolation, string version, string query, CancellationToken cancellationToken)
    {
        var socket = new ClientWebSocket();
        socket.Options.AddSubProtocol("wire.v1");
        (socket.Options.HttpVersion, socket.Options.HttpVersionPolicy) = (Version.Parse(version), HttpVersionPolicy.RequestVersionExact);
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false }, disposeHandler: false);
        await socket.ConnectAsync(new UriBuilder(nodes.AddressOf(isolation)) { Scheme = "ws", Path = "/wire/ws", Query = query }.Uri, invoker, cancellationToken);
        return socket;
    }

    private static async Task<string> ReceiveAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        using var message = new MemoryStream();
        var buffer = new byte[8192];
        while (true)
        {
            var received = await socket.ReceiveAsync(buffer, cancellationToken);
            message.Write(buffer, 0, received.Count);
            if (received.EndOfMessage)
                return Encoding.UTF8.GetString(message.ToArray());
        }
    }

    private sealed class DuplexContent : HttpContent
    {
        public TaskCompletionSource<Stream> Stream { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public TaskCompletionSource Ended { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            Stream.SetResult(stream);
            return Ended.Task;
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
