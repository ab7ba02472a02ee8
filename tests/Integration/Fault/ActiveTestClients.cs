using System.Net;
using System.Net.WebSockets;
using System.Text;

namespace Serve.FaultTests;

/// <summary>Clients with a connection each that are never idle: keep-alive requests, WebSockets, and HTTP/2 streams. A refused client connects again.</summary>
internal sealed class ActiveTestClients(Uri gateway) : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);
    private readonly CancellationTokenSource _stop = new();
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateway };
    private readonly List<Task> _clients = [];
    private int _responses;
    private int _messages;
    private int _streamReads;
    private int _refused;

    /// <summary>Responses with status 200.</summary>
    public int Responses => _responses;

    /// <summary>Messages that WebSockets have sent back.</summary>
    public int Messages => _messages;

    /// <summary>Parts of streams that were received.</summary>
    public int StreamReads => _streamReads;

    /// <summary>Connections that were refused or broke.</summary>
    public int Refused => _refused;

    public void Start(int requests, int sockets, int streams)
    {
        for (var i = 0; i < requests; i++)
            _clients.Add(RepeatAsync(SendRequestAsync));
        for (var i = 0; i < sockets; i++)
            _clients.Add(RepeatAsync(ExchangeMessagesAsync));
        for (var i = 0; i < streams; i++)
            _clients.Add(RepeatAsync(ReadStreamAsync));
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _http.Dispose();
        _stop.Dispose();
    }

    public override string ToString() => $"{Responses} responses, {Messages} messages, {StreamReads} reads of streams, {Refused} refused";

    private async Task RepeatAsync(Func<CancellationToken, Task> exchange)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await exchange(_stop.Token);
            }
            catch (Exception refused) when (refused is HttpRequestException or IOException or WebSocketException or HttpIOException)
            {
                Interlocked.Increment(ref _refused);
            }
            catch (OperationCanceledException)
            {
                // The test ends.
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task SendRequestAsync(CancellationToken stop)
    {
        using var response = await _http.GetAsync("/patient", stop);
        if (response.StatusCode == HttpStatusCode.OK)
            Interlocked.Increment(ref _responses);
        else
            Interlocked.Increment(ref _refused);
    }

    private async Task ExchangeMessagesAsync(CancellationToken stop)
    {
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri(gateway.ToString().Replace("http", "ws", StringComparison.Ordinal) + "patient/echo"), stop);
        var buffer = new byte[10];
        while (true)
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes("hello"), WebSocketMessageType.Text, true, stop);
            if ((await socket.ReceiveAsync(buffer, stop)).MessageType == WebSocketMessageType.Close)
                return;
            Interlocked.Increment(ref _messages);
            await Task.Delay(Pause, stop);
        }
    }

    private async Task ReadStreamAsync(CancellationToken stop)
    {
        // With a handler of its own, so that each stream has a connection.
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = gateway, DefaultRequestVersion = HttpVersion.Version20, DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact };
        using var response = await client.GetAsync("/patient/ticks", HttpCompletionOption.ResponseHeadersRead, stop);
        await using var stream = await response.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(stop);
        var buffer = new byte[100];
        while (await stream.ReadAsync(buffer, stop) > 0)
            Interlocked.Increment(ref _streamReads);
    }
}
