using Serve.Replica.Tests.Fixtures;
using Serve.Replica.Tests.Samples;

namespace Serve.Replica.Tests.Multiplexing;

/// <summary>How a class's own methods load models, and how these are disposed.</summary>
public sealed class LoaderTests : IAsyncLifetime
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly string key = Guid.NewGuid().ToString("n");
    private ReplicaHost replica = null!;

    public async Task InitializeAsync() => replica = await ReplicaHost.StartAsync(typeof(Loaders), new() { Args = new() { ["key"] = key } });

    public async Task DisposeAsync() => await replica.DisposeAsync();

    [Fact]
    public async Task ModelThatIsDisposable_IsDisposed()
    {
        Assert.Equal("a", await replica.GetAsync("/plain/a"));
        Assert.Equal("b", await replica.GetAsync("/plain/b"));

        Assert.Equal("+a -a +b", await replica.GetAsync("/events"));
    }

    [Fact]
    public async Task ModelThatIsDisposableBothWays_IsDisposedOnceWhereItWasLoaded()
    {
        Assert.Equal("serve blocking", await replica.GetAsync("/both/a"));
        await replica.GetAsync("/both/b");

        Assert.Equal("gone on serve blocking", await replica.GetAsync("/events"));
    }

    [Fact]
    public async Task Load_ThrowsAtOnce_IsWhatItThrew()
    {
        var (status, body) = await replica.SendAsync(HttpMethod.Get, "/both/bad");

        Assert.Equal((400, "There is no model 'bad'."), (status, (string)body!["detail"]!));
    }

    [Fact]
    public async Task Dispose_Throws_IsLogged()
    {
        await replica.GetAsync("/plain/broken");
        Assert.Equal("b", await replica.GetAsync("/plain/b"));

        Assert.Contains("Disposing model broken threw", replica.Log, StringComparison.Ordinal);
        Assert.Contains("It does not go.", replica.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Load_ClientGone_IsToldToStopAndIsNoError()
    {
        using var gone = new CancellationTokenSource();
        var request = replica.Client.GetStringAsync($"{ReplicaHost.Prefix}/plain/hang", gone.Token);
        await Signals.WaitAsync($"{key}-loading");

        await gone.CancelAsync();

        await Signals.WaitAsync($"{key}-stopped");
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => request);
        await Eventually.TrueAsync(() => replica.Log.Contains("The load of model hang was given up", StringComparison.Ordinal), () => replica.Log);
        Assert.DoesNotContain("could not be loaded", replica.Log, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task GetAndAcquire_GivenUpByTheirToken_End(bool lease)
    {
        Assert.Equal("Canceled", await replica.GetAsync($"/give-up?lease={lease}").WaitAsync(Limit));
        await Signals.WaitAsync($"{key}-stopped");
    }

    [Fact]
    public async Task Acquire_OutlivesItsRequest()
    {
        await replica.GetAsync("/hold/a");
        var waiting = replica.GetAsync("/plain/b");
        await Eventually.TrueAsync(() => replica.Context.Gate.Ongoing == 1);
        Assert.Equal("+a", await replica.GetAsync("/events"));

        Assert.Equal("true", await replica.GetAsync("/drop"));

        Assert.Equal("b", await waiting.WaitAsync(Limit));
        Assert.Equal("+a -a +b", await replica.GetAsync("/events"));
    }
}
