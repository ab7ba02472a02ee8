using System.Net.ServerSentEvents;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class StreamTests : IAsyncLifetime
{
    private readonly string key = Guid.NewGuid().ToString("n");
    private ReplicaHost replica = null!;

    public async Task InitializeAsync() => replica = await ReplicaHost.StartAsync(typeof(Streams), new() { Args = new() { ["key"] = key } });

    public async Task DisposeAsync() => await replica.DisposeAsync();

    [Fact]
    public async Task Stream_PlainClient_GetsAJsonArrayItemByItem()
    {
        using var response = await replica.Client.GetAsync("/app/tokens?n=3", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[100];

        // The second item is only made once the first has arrived.
        var read = await body.ReadAsync(buffer);
        Assert.Equal("[\"t0\"", System.Text.Encoding.UTF8.GetString(buffer, 0, read));
        Signals.Set($"{key}-second");
        using var rest = new StreamReader(body);

        Assert.Equal(",\"t1\",\"t2\"]", await rest.ReadToEndAsync());
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task Stream_ClientThatAcceptsEvents_GetsThemOneByOne()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/tokens?n=2");
        request.Headers.Accept.ParseAdd("text/event-stream, */*;q=0.1");
        using var response = await replica.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var events = SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync().GetAsyncEnumerator();

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("t0", events.Current.Data);
        Signals.Set($"{key}-second");
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("t1", events.Current.Data);
        Assert.False(await events.MoveNextAsync());
    }

    [Fact]
    public async Task Stream_Empty_IsAnEmptyArray() => Assert.Equal("[]", await replica.GetAsync("/tokens?n=0"));

    [Fact]
    public async Task Stream_FromATask_Streams() => Assert.Equal("[3]", await replica.GetAsync("/later"));

    [Fact]
    public async Task Stream_ClientLeaves_EndsTheIterator()
    {
        using (var response = await replica.Client.GetAsync("/app/endless", HttpCompletionOption.ResponseHeadersRead))
        {
            var body = await response.Content.ReadAsStreamAsync();
            Assert.Equal('[', body.ReadByte());
        }

        await Signals.WaitAsync($"{key}-ended");
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 0);
        Assert.DoesNotContain("threw", replica.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/event-stream")]
    public async Task Stream_ThrowsBeforeItsFirstItem_IsAPlainError(string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/broken");
        request.Headers.Accept.ParseAdd(accept);
        using var response = await replica.Client.SendAsync(request);

        Assert.Equal(500, (int)response.StatusCode);
        Assert.Contains("broken stream", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_ThrowsHalfWay_BreaksTheConnectionSoThatNobodyTakesItForWhole()
    {
        await Assert.ThrowsAsync<HttpRequestException>(() => replica.GetAsync("/half"));
        await Eventually.TrueAsync(() => replica.Log.Contains("half a stream", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/event-stream")]
    public async Task Stream_SeveralAtOnce_TakeTurnsStepByStep(string accept)
    {
        replica.Client.DefaultRequestHeaders.Accept.ParseAdd(accept);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => replica.GetAsync("/turns")));

        Assert.All(answers, answer => Assert.DoesNotContain("false", answer, StringComparison.Ordinal));
    }
}
