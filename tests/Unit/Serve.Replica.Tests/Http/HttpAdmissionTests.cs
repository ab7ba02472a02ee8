using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class HttpAdmissionTests
{
    private readonly string _key = Guid.NewGuid().ToString("n");

    [Fact]
    public async Task Request_WhenFull_IsRefusedBeforeItsBodyIsRead()
    {
        await using var replica = await StartAsync();
        var first = replica.GetAsync("/wait");
        await TestSignals.WaitAsync($"{_key}-waiting");

        using var body = new UnreadableContent();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/app/body") { Content = body };
        request.Headers.ExpectContinue = true;
        using var refused = await replica.Client.SendAsync(request);

        Assert.Equal(503, (int)refused.StatusCode);
        Assert.False(body.WasSent);
        TestSignals.Set($"{_key}-go");
        Assert.Equal("done", await first);
        Assert.Equal("true", await replica.GetAsync("/plain"));
    }

    [Fact]
    public async Task Request_WhenClosed_IsRefused()
    {
        await using var replica = await StartAsync();

        replica.Context.Gate.Close();

        Assert.Equal(503, (await replica.SendAsync(HttpMethod.Get, "/plain")).Status);
        await replica.Context.Gate.WhenIdle.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Request_Ends_LeavesTheGate()
    {
        await using var replica = await StartAsync();

        foreach (var path in new[] { "/plain", "/nothing", "/second", "/blocking" })
            (await replica.Client.GetAsync("/app" + path)).Dispose();

        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 0);
    }

    private Task<ReplicaTestHost> StartAsync() =>
        ReplicaTestHost.StartAsync(typeof(Turns), new() { Args = new() { ["key"] = _key }, MaxOngoing = 1 });

    private sealed class UnreadableContent : HttpContent
    {
        public bool WasSent { get; private set; }

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            WasSent = true;
            return Task.CompletedTask;
        }

        protected override bool TryComputeLength(out long length)
        {
            // HttpClient always sends a body of up to 1024 bytes.
            length = 5000;
            return true;
        }
    }
}
