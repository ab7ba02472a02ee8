using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Multiplexing;

/// <summary>Loading and disposal of models by the methods of a class.</summary>
public sealed class MultiplexedModelLoaderTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly string _key = Guid.NewGuid().ToString("n");
    private ReplicaTestHost _replica = null!;

    public async Task InitializeAsync() => _replica = await ReplicaTestHost.StartAsync(typeof(Loaders), new() { Args = new() { ["key"] = _key } });

    public async Task DisposeAsync() => await _replica.DisposeAsync();

    [Fact]
    public async Task ModelThatIsDisposable_IsDisposed()
    {
        Assert.Equal("a", await _replica.GetAsync("/plain/a"));
        Assert.Equal("b", await _replica.GetAsync("/plain/b"));

        Assert.Equal("+a -a +b", await _replica.GetAsync("/events"));
    }

    [Fact]
    public async Task ModelThatIsDisposableBothWays_IsDisposedOnceWhereItWasLoaded()
    {
        Assert.Equal("serve blocking", await _replica.GetAsync("/both/a"));
        await _replica.GetAsync("/both/b");

        Assert.Equal("gone on serve blocking", await _replica.GetAsync("/events"));
    }

    [Fact]
    public async Task Load_ThrowsAtOnce_IsWhatItThrew()
    {
        var (status, body) = await _replica.SendAsync(HttpMethod.Get, "/both/bad");

        Assert.Equal((400, "There is no model 'bad'."), (status, (string)body!["detail"]!));
    }

    [Fact]
    public async Task Dispose_Throws_IsLogged()
    {
        await _replica.GetAsync("/plain/broken");
        Assert.Equal("b", await _replica.GetAsync("/plain/b"));

        Assert.Contains("Disposing model broken failed", _replica.Log, StringComparison.Ordinal);
        Assert.Contains("It does not go.", _replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ClientDisconnects_IsCanceledWithoutError()
    {
        using var gone = new CancellationTokenSource();
        var request = _replica.Client.GetStringAsync($"{ReplicaTestHost.Prefix}/plain/hang", gone.Token);
        await TestSignals.WaitAsync($"{_key}-loading");

        await gone.CancelAsync();

        await TestSignals.WaitAsync($"{_key}-stopped");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await Eventually.TrueAsync(() => _replica.Log.Contains("Load of model hang abandoned", StringComparison.Ordinal), () => _replica.Log);
        Assert.DoesNotContain("Loading model", _replica.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GetAndAcquire_GivenUpByTheirToken_End(bool lease)
    {
        Assert.Equal("Canceled", await _replica.GetAsync($"/give-up?lease={lease}").WaitAsync(Limit));
        await TestSignals.WaitAsync($"{_key}-stopped");
    }

    [Fact]
    public async Task Acquire_OutlivesItsRequest()
    {
        await _replica.GetAsync("/hold/a");
        var waiting = _replica.GetAsync("/plain/b");
        await Eventually.TrueAsync(() => _replica.Context.Gate.Ongoing == 1);
        Assert.Equal("+a", await _replica.GetAsync("/events"));

        Assert.Equal("true", await _replica.GetAsync("/drop"));

        Assert.Equal("b", await waiting.WaitAsync(Limit));
        Assert.Equal("+a -a +b", await _replica.GetAsync("/events"));
    }
}
