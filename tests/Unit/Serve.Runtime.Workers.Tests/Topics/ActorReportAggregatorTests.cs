using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Workers.Topics;

namespace Serve.Runtime.Workers.Tests.Topics;

/// <summary>What actors of several processes say of themselves, as it is published. The clock is the test's.</summary>
public sealed class ActorReportAggregatorTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly ActorReportRegistry _own = new();
    private readonly List<(string Topic, long Version, string Payload, DateTimeOffset At)> _published = [];
    private Func<CancellationToken, Task> _takes = _ => Task.CompletedTask;
    private readonly ActorReportAggregator _hub;
    private int _taken;

    public ActorReportAggregatorTests() => _hub = new(_own, "n1", PublishAsync, _time, NullLogger.Instance);

    public Task InitializeAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync() => await _hub.DisposeAsync();

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    [Fact]
    public async Task Report_OfThisProcess_IsPublishedAsItChangesAndUntilItIsDisposed()
    {
        var said = 1;
        var report = _own.Add(new ActorId("a"), "models", () => Encoding.UTF8.GetBytes($"{said}"));
        Assert.Equal(("models", 1, """{"a":1}"""), await NextAsync());

        said = 2;
        report.NotifyChanged();
        Assert.Equal(("models", 2, """{"a":2}"""), await NextAsync());

        report.Dispose();
        Assert.Equal(("models", 3, "{}"), await NextAsync());
    }

    [Fact]
    public async Task Reports_OfSeveralProcesses_AreOneObjectByActor()
    {
        _hub.UpdateSource("w2", [Said("models", "c", "3")]);
        await NextAsync();
        _hub.UpdateSource("w1", [Said("models", "a", "1"), Said("models", "b", "2")]);

        Assert.Equal(("models", 2, """{"a":1,"b":2,"c":3}"""), await NextAsync());
    }

    [Fact]
    public async Task Forget_AProcess_TakesItsActorsOut()
    {
        _hub.UpdateSource("w1", [Said("models", "a", "1")]);
        _hub.UpdateSource("w2", [Said("models", "b", "2")]);
        // One that never said anything is no change.
        _hub.RemoveSource("w3");
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            return Last().Payload == """{"a":1,"b":2}""";
        });

        _hub.RemoveSource("w1");

        var before = Last().Version;
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            return Last().Version > before;
        });
        Assert.Equal("""{"b":2}""", Last().Payload);
    }

    [Fact]
    public async Task Change_SoonAfterAnother_WaitsForThePause()
    {
        _hub.UpdateSource("w1", [Said("models", "a", "1")]);
        await NextAsync();

        _hub.UpdateSource("w1", [Said("models", "a", "2")]);
        await NextAsync();

        Assert.True(_published[1].At - _published[0].At >= TimeSpan.FromMilliseconds(20), $"{_published[1].At - _published[0].At}");
    }

    [Fact]
    public async Task Change_OfOneTopic_IsNoneOfTheOthers()
    {
        _hub.UpdateSource("w1", [Said("one", "a", "1"), Said("other", "a", "1")]);
        await NextAsync();
        await NextAsync();

        _hub.UpdateSource("w1", [Said("one", "a", "1"), Said("other", "a", "2")]);

        Assert.Equal(("other", 3, """{"a":2}"""), await NextAsync());
    }

    [Fact]
    public async Task Publish_Fails_TheNextChangeIsPublishedAllTheSame()
    {
        _takes = _ => throw new IOException("gone");
        _hub.UpdateSource("w1", [Said("models", "a", "1")]);
        await NextAsync();

        _takes = stop => Task.Delay(Timeout.Infinite, stop);
        _hub.UpdateSource("w1", [Said("models", "a", "2")]);
        await NextAsync();

        // The wait for a source that does not answer is limited.
        _takes = _ => Task.CompletedTask;
        _hub.UpdateSource("w1", [Said("models", "a", "3")]);
        Assert.Equal(("models", 3, """{"a":3}"""), await NextAsync());
    }

    [Fact]
    public async Task Report_ChangesWhileItIsWritten_IsWrittenAgain()
    {
        var written = 0;
        ActorStateReport report = null!;
        report = _own.Add(new ActorId("a"), "models", () =>
        {
            if (Interlocked.Increment(ref written) == 2)
                report.NotifyChanged();
            return Encoding.UTF8.GetBytes($"{written}");
        });
        await NextAsync();

        report.NotifyChanged();

        // Two changes may be published as one, so the second value may never be seen by itself.
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(5));
            return Last().Payload == """{"a":3}""";
        }, () => Last().Payload);
    }

    [Fact]
    public async Task Take_WhileAPublicationGoesOn_IsPublishedAfterIt()
    {
        var (begun, end) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _takes = async _ =>
        {
            begun.TrySetResult();
            await end.Task;
        };
        _hub.UpdateSource("w1", [Said("models", "a", "1")]);
        await begun.Task;

        _hub.UpdateSource("w1", [Said("models", "a", "2")]);
        _takes = _ => Task.CompletedTask;
        end.SetResult();

        Assert.Equal("""{"a":1}""", (await NextAsync()).Payload);
        Assert.Equal("""{"a":2}""", (await NextAsync()).Payload);
    }

    private static (string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload) Said(string topic, string actor, string json) =>
        (topic, new ActorId(actor), Encoding.UTF8.GetBytes(json));

    private (long Version, string Payload) Last()
    {
        lock (_published)
            return _published.Count == 0 ? default : (_published[^1].Version, _published[^1].Payload);
    }

    /// <summary>The next publication, with the clock going on until it comes.</summary>
    private async Task<(string Topic, long Version, string Payload)> NextAsync()
    {
        await Eventually.TrueAsync(() =>
        {
            lock (_published)
            {
                if (_published.Count > _taken)
                    return true;
            }

            _time.Advance(TimeSpan.FromMilliseconds(5));
            return false;
        }, () => $"{_published.Count} publications");
        lock (_published)
        {
            var (topic, version, payload, _) = _published[_taken++];
            return (topic, version, payload);
        }
    }

    private Task PublishAsync(TopicPublication publication, CancellationToken stop)
    {
        lock (_published)
            _published.Add((publication.Topic, publication.Version.Number, Encoding.UTF8.GetString(publication.Payload.Span), _time.GetUtcNow()));
        return _takes(stop);
    }
}
