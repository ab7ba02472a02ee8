using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Serve.Runtime.Topics;
using Serve.Tests;

namespace Serve.Runtime.Tests.Topics;

/// <summary>What actors of several processes say of themselves, as it is published. The clock is the test's.</summary>
public sealed class ReportHubTests : IAsyncLifetime, IAsyncDisposable
{
    private readonly FakeTimeProvider time = new();
    private readonly ActorReports own = new();
    private readonly List<(string Topic, long Version, string Payload, DateTimeOffset At)> published = [];
    private Func<CancellationToken, Task> takes = _ => Task.CompletedTask;
    private readonly ReportHub hub;
    private int taken;

    public ReportHubTests() => hub = new(own, PublishAsync, time, NullLogger.Instance);

    public Task InitializeAsync() => Task.CompletedTask;

    public async ValueTask DisposeAsync() => await hub.DisposeAsync();

    async Task IAsyncLifetime.DisposeAsync() => await DisposeAsync();

    [Fact]
    public async Task Report_OfThisProcess_IsPublishedAsItChangesAndUntilItIsDisposed()
    {
        var said = 1;
        var report = own.Add(new ActorId("a"), "models", () => Encoding.UTF8.GetBytes($"{said}"));
        Assert.Equal(("models", 1, """{"a":1}"""), await NextAsync());

        said = 2;
        report.Change();
        Assert.Equal(("models", 2, """{"a":2}"""), await NextAsync());

        report.Dispose();
        Assert.Equal(("models", 3, "{}"), await NextAsync());
    }

    [Fact]
    public async Task Reports_OfSeveralProcesses_AreOneObjectByActor()
    {
        hub.Take("w2", [Said("models", "c", "3")]);
        await NextAsync();
        hub.Take("w1", [Said("models", "a", "1"), Said("models", "b", "2")]);

        Assert.Equal(("models", 2, """{"a":1,"b":2,"c":3}"""), await NextAsync());
    }

    [Fact]
    public async Task Forget_AProcess_TakesItsActorsOut()
    {
        hub.Take("w1", [Said("models", "a", "1")]);
        hub.Take("w2", [Said("models", "b", "2")]);
        // One that never said anything is no change.
        hub.Forget("w3");
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(5));
            return Last().Payload == """{"a":1,"b":2}""";
        });

        hub.Forget("w1");

        var before = Last().Version;
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(5));
            return Last().Version > before;
        });
        Assert.Equal("""{"b":2}""", Last().Payload);
    }

    [Fact]
    public async Task Change_SoonAfterAnother_WaitsForThePause()
    {
        hub.Take("w1", [Said("models", "a", "1")]);
        await NextAsync();

        hub.Take("w1", [Said("models", "a", "2")]);
        await NextAsync();

        Assert.True(published[1].At - published[0].At >= TimeSpan.FromMilliseconds(20), $"{published[1].At - published[0].At}");
    }

    [Fact]
    public async Task Change_OfOneTopic_IsNoneOfTheOthers()
    {
        hub.Take("w1", [Said("one", "a", "1"), Said("other", "a", "1")]);
        await NextAsync();
        await NextAsync();

        hub.Take("w1", [Said("one", "a", "1"), Said("other", "a", "2")]);

        Assert.Equal(("other", 3, """{"a":2}"""), await NextAsync());
    }

    [Fact]
    public async Task Publish_Fails_TheNextChangeIsPublishedAllTheSame()
    {
        takes = _ => throw new IOException("gone");
        hub.Take("w1", [Said("models", "a", "1")]);
        await NextAsync();

        takes = stop => Task.Delay(Timeout.Infinite, stop);
        hub.Take("w1", [Said("models", "a", "2")]);
        await NextAsync();

        // One that does not answer is not waited for for ever.
        takes = _ => Task.CompletedTask;
        hub.Take("w1", [Said("models", "a", "3")]);
        Assert.Equal(("models", 3, """{"a":3}"""), await NextAsync());
    }

    [Fact]
    public async Task Report_ChangesWhileItIsWritten_IsWrittenAgain()
    {
        var written = 0;
        ActorReport report = null!;
        report = own.Add(new ActorId("a"), "models", () =>
        {
            if (Interlocked.Increment(ref written) == 2)
                report.Change();
            return Encoding.UTF8.GetBytes($"{written}");
        });
        await NextAsync();

        report.Change();

        // What it said the second time may never be published: two changes may be one.
        await Eventually.True(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(5));
            return Last().Payload == """{"a":3}""";
        }, () => Last().Payload);
    }

    [Fact]
    public async Task Take_WhileAPublicationGoesOn_IsPublishedAfterIt()
    {
        var (begun, end) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        takes = async _ =>
        {
            begun.TrySetResult();
            await end.Task;
        };
        hub.Take("w1", [Said("models", "a", "1")]);
        await begun.Task;

        hub.Take("w1", [Said("models", "a", "2")]);
        takes = _ => Task.CompletedTask;
        end.SetResult();

        Assert.Equal("""{"a":1}""", (await NextAsync()).Payload);
        Assert.Equal("""{"a":2}""", (await NextAsync()).Payload);
    }

    private static (string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload) Said(string topic, string actor, string json) =>
        (topic, new ActorId(actor), Encoding.UTF8.GetBytes(json));

    private (long Version, string Payload) Last()
    {
        lock (published)
            return published.Count == 0 ? default : (published[^1].Version, published[^1].Payload);
    }

    /// <summary>The next publication, with the clock going on until it comes.</summary>
    private async Task<(string Topic, long Version, string Payload)> NextAsync()
    {
        await Eventually.True(() =>
        {
            lock (published)
            {
                if (published.Count > taken)
                    return true;
            }

            time.Advance(TimeSpan.FromMilliseconds(5));
            return false;
        }, () => $"{published.Count} publications");
        lock (published)
        {
            var (topic, version, payload, _) = published[taken++];
            return (topic, version, payload);
        }
    }

    private Task PublishAsync(Publication publication, CancellationToken stop)
    {
        lock (published)
            published.Add((publication.Topic, publication.Version, Encoding.UTF8.GetString(publication.Payload.Span), time.GetUtcNow()));
        return takes(stop);
    }
}
