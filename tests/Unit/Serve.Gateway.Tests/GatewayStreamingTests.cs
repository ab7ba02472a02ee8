using System.Net;
using System.Net.WebSockets;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Serve.Gateway.Tests;

public sealed class GatewayStreamingTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(false, "1.1")]
    [InlineData(true, "1.1")]
    [InlineData(false, "2.0")]
    [InlineData(true, "2.0")]
    public async Task Get_ServerSentEvents_ArriveImmediately(bool forwarded, string version)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync();
        using var next = new SemaphoreSlim(0);
        GatewayRequestTests.Place(gateway, worker, forwarded, async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 3; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n");
                await next.WaitAsync(Bound);
            }
        });
        await gateway.PublishAsync();
        using var request = Request(HttpMethod.Get, "/x", version);

        var response = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Bound);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal($"data: {i}", await reader.ReadLineAsync().WaitAsync(Bound));
            Assert.Equal("", await reader.ReadLineAsync().WaitAsync(Bound));
            next.Release();
        }

        Assert.Null(await reader.ReadLineAsync().WaitAsync(Bound));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_DuplexStream_ExchangesMessagesBeforeEnd(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync();
        GatewayRequestTests.Place(gateway, worker, forwarded, async context =>
        {
            var buffer = new byte[100];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer)) > 0)
            {
                await context.Response.Body.WriteAsync(buffer.AsMemory(0, read));
                await context.Response.Body.FlushAsync();
            }
        });
        await gateway.PublishAsync();
        var (content, say) = Conversation();
        // HttpClient supports duplex streams over HTTP/2 only.
        using var request = Request(HttpMethod.Post, "/x", "2.0");
        request.Content = content;
        var answered = gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        var words = new[] { "one", "two", "three" };
        await say("one");
        using var response = await answered.WaitAsync(Bound);
        var stream = await response.Content.ReadAsStreamAsync();
        foreach (var word in words)
        {
            if (word != "one")
                await say(word);
            var buffer = new byte[word.Length];
            await stream.ReadExactlyAsync(buffer).AsTask().WaitAsync(Bound);
            Assert.Equal(word, Encoding.ASCII.GetString(buffer));
        }

        await say(null);
        Assert.Equal(0, await stream.ReadAsync(new byte[1]).AsTask().WaitAsync(Bound));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_Grpc_TrailersPassThrough(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync();
        GatewayRequestTests.Place(gateway, worker, forwarded, async context =>
        {
            context.Response.DeclareTrailer("grpc-status");
            await context.Response.WriteAsync("body");
            context.Response.AppendTrailer("grpc-status", "0");
        });
        await gateway.PublishAsync();

        using var request = Request(HttpMethod.Post, "/x", "2.0");
        request.Content = new ByteArrayContent(new byte[5]) { Headers = { ContentType = new("application/grpc") } };

        var response = await gateway.Client.SendAsync(request);

        Assert.Equal(HttpVersion.Version20, response.Version);
        Assert.Equal("body", await response.Content.ReadAsStringAsync());
        Assert.Equal("0", response.TrailingHeaders.GetValues("grpc-status").Single());
    }

    [Fact]
    public async Task Get_Http1AndHttp2OnOnePort_BothSucceed()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        foreach (var version in new[] { "1.1", "2.0", "1.1", "2.0" })
        {
            var response = await gateway.Client.SendAsync(Request(HttpMethod.Get, "/-/healthz", version));
            Assert.Equal(Version.Parse(version), response.Version);
            Assert.Equal("success", await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Get_PrefaceInPieces_IsHttp2()
    {
        await using var gateway = await GatewayTestHost.StartAsync();
        using var client = new System.Net.Sockets.TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, gateway.Address.Port);
        var stream = client.GetStream();
        foreach (var letter in "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8.ToArray())
        {
            await stream.WriteAsync(new[] { letter });
            await Task.Yield();
        }

        // An empty SETTINGS frame; the server answers with its own.
        await stream.WriteAsync(new byte[] { 0, 0, 0, 4, 0, 0, 0, 0, 0 });
        var header = new byte[9];
        await stream.ReadExactlyAsync(header).AsTask().WaitAsync(Bound);
        Assert.Equal(4, header[3]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Connect_WebSocket_ExchangesMessages(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync();
        GatewayRequestTests.Place(gateway, worker, forwarded, async context =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            var buffer = new byte[100];
            while (true)
            {
                var message = await socket.ReceiveAsync(buffer, default);
                if (message.MessageType == WebSocketMessageType.Close)
                    break;
                await socket.SendAsync(buffer.AsMemory(0, message.Count), WebSocketMessageType.Text, true, default);
            }

            await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default);
        });
        await gateway.PublishAsync();
        using var client = new ClientWebSocket();
        await client.ConnectAsync(new Uri(gateway.Address.ToString().Replace("http", "ws", StringComparison.Ordinal) + "x"), default).WaitAsync(Bound);
        for (var i = 0; i < 3; i++)
        {
            await client.SendAsync(Encoding.UTF8.GetBytes($"hello {i}"), WebSocketMessageType.Text, true, default);
            var buffer = new byte[100];
            var answer = await client.ReceiveAsync(buffer, default).WaitAsync(Bound);
            Assert.Equal($"hello {i}", Encoding.UTF8.GetString(buffer, 0, answer.Count));
        }

        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, default).WaitAsync(Bound);
        await Eventually.TrueAsync(() => gateway.Table.Current.FindApplication("x")!.Ingress.Replicas[0].Ongoing == 0);
    }

    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Get_WorkerDiesDuringResponse_ClientConnectionFails(string version)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync();
        var arrived = new TaskCompletionSource();
        GatewayRequestTests.Place(gateway, worker, forwarded: true, async context =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            await arrived.Task;
            context.Abort();
        });
        await gateway.PublishAsync();

        var response = await gateway.Client.SendAsync(Request(HttpMethod.Get, "/x", version), HttpCompletionOption.ResponseHeadersRead).WaitAsync(Bound);
        arrived.SetResult();

        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsStringAsync().WaitAsync(Bound));
        await Eventually.TrueAsync(() => gateway.Logged.Any(line => line.Contains("The response of replica r1", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Post_LargeBody_IsStreamed(bool forwarded)
    {
        await using var worker = await FakeWorkerServer.StartAsync();
        await using var gateway = await GatewayTestHost.StartAsync(new GatewayOptions { Http = new() { MaxRequestBodyBytes = long.MaxValue } });
        GatewayRequestTests.Place(gateway, worker, forwarded, context =>
        {
            context.Response.ContentLength = context.Request.ContentLength;
            return context.Request.Body.CopyToAsync(context.Response.Body);
        });
        await gateway.PublishAsync();
        const int Size = 64 * 1024 * 1024;
        using var request = Request(HttpMethod.Post, "/x", "2.0");
        request.Content = new ZeroContent(Size);
        var before = GC.GetTotalMemory(forceFullCollection: true);

        using var response = await gateway.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(Bound);
        var stream = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[81920];
        long total = 0;
        var most = 0L;
        int read;
        while ((read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Bound)) > 0)
        {
            total += read;
            if (total % (8 * 1024 * 1024) < read)
                most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: true) - before);
        }

        Assert.Equal(Size, total);
        Assert.InRange(most, long.MinValue, 16 * 1024 * 1024);
    }

    private static HttpRequestMessage Request(HttpMethod method, string path, string version) => new(method, path)
    {
        Version = Version.Parse(version),
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private static (HttpContent Content, Func<string?, Task> Say) Conversation()
    {
        var pipe = new System.IO.Pipelines.Pipe();
        var content = new FlushingContent(pipe.Reader);
        return (content, async word =>
        {
            if (word is null)
                await pipe.Writer.CompleteAsync();
            else
                await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes(word));
        });
    }

    private sealed class ZeroContent(int size) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var chunk = new byte[65536];
            for (var sent = 0; sent < size; sent += chunk.Length)
                await stream.WriteAsync(chunk);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = size;
            return true;
        }
    }

    private sealed class FlushingContent(System.IO.Pipelines.PipeReader source) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.FlushAsync();
            while (true)
            {
                var result = await source.ReadAsync();
                foreach (var segment in result.Buffer)
                    await stream.WriteAsync(segment);
                await stream.FlushAsync();
                source.AdvanceTo(result.Buffer.End);
                if (result.IsCompleted)
                    return;
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = -1;
            return false;
        }
    }
}
