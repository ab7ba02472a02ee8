using System.Net.ServerSentEvents;
using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Http;

public sealed class HttpStreamTests : IAsyncLifetime
{
    private readonly string _key = Guid.NewGuid().ToString("n");
    private ReplicaTestHost _replica = null!;

    public async Task InitializeAsync() => _replica = await ReplicaTestHost.StartAsync(typeof(Streams), new() { Args = new() { ["key"] = _key } });

    public async Task DisposeAsync() => await _replica.DisposeAsync();

    [Fact]
    public async Task Stream_PlainClient_GetsAJsonArrayItemByItem()
    {
        using var response = await _replica.Client.GetAsync("/app/tokens?n=3", HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[100];

        // The second item is produced after the first has arrived.
        var read = await body.ReadAsync(buffer);
        Assert.Equal("[\"t0\"", System.Text.Encoding.UTF8.GetString(buffer, 0, read));
        TestSignals.Set($"{_key}-second");
        using var rest = new StreamReader(body);

        Assert.Equal(",\"t1\",\"t2\"]", await rest.ReadToEndAsync());
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.ContentType!.ToString());
    }

    [Fact]
    public async Task Stream_ClientThatAcceptsEvents_GetsThemOneByOne()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/tokens?n=2");
        request.Headers.Accept.ParseAdd("text/event-stream, */*;q=0.1");
        using var response = await _replica.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var events = SseParser.Create(await response.Content.ReadAsStreamAsync()).EnumerateAsync().GetAsyncEnumerator();

        Assert.Equal("text/event-stream", response.Content.Headers.ContentType!.MediaType);
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("t0", events.Current.Data);
        TestSignals.Set($"{_key}-second");
        Assert.True(await events.MoveNextAsync());
        Assert.Equal("t1", events.Current.Data);
        Assert.False(await events.MoveNextAsync());
    }

    [Fact]
    public async Task Stream_Empty_IsAnEmptyArray() => Assert.Equal("[]", await _replica.GetAsync("/tokens?n=0"));

    [Fact]
    public async Task Stream_FromATask_Streams() => Assert.Equal("[3]", await _replica.GetAsync("/later"));

    [Fact]
    public async Task Stream_ClientLeaves_EndsTheIterator()
    {
        using (var response = await _replica.Client.GetAsync("/app/endless", HttpCompletionOption.ResponseHeadersRead))
        {
            var body = await response.Content.ReadAsStreamAsync();
            Assert.Equal('[', body.ReadByte());
        }

        await TestSignals.WaitAsync($"{_key}-ended");
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 0);
        // Unobserved tasks of other tests of this process are logged as well.
        Assert.DoesNotContain("/endless failed", _replica.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/event-stream")]
    public async Task Stream_ThrowsBeforeItsFirstItem_IsAPlainError(string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/app/broken");
        request.Headers.Accept.ParseAdd(accept);
        using var response = await _replica.Client.SendAsync(request);

        Assert.Equal(500, (int)response.StatusCode);
        Assert.Contains("broken stream", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_ThrowsHalfWay_AbortsTheConnection()
    {
        await Assert.ThrowsAsync<HttpRequestException>(() => _replica.GetAsync("/half"));
        await Eventually.TrueAsync(() => _replica.Log.Contains("half a stream", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/event-stream")]
    public async Task Stream_SeveralAtOnce_TakeTurnsStepByStep(string accept)
    {
        _replica.Client.DefaultRequestHeaders.Accept.ParseAdd(accept);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _replica.GetAsync("/turns")));

        Assert.All(answers, answer => Assert.DoesNotContain("false", answer, StringComparison.Ordinal));
    }
}
