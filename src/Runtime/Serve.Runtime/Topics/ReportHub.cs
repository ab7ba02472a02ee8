using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Topics;

/// <summary>
/// What actors say of themselves in all processes of a node, gathered and published: at once when nothing was for a while, and else no more often than
/// each <see cref="Pause"/>, so that many changes are one publication. The one writer of what each process said last.
/// </summary>
internal sealed partial class ReportHub : IAsyncDisposable
{
    /// <summary>The source that is the node's own process.</summary>
    private const string Own = "";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ActorReports own;
    private readonly Func<Publication, CancellationToken, Task> publish;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Lock gate = new();
    private readonly Dictionary<string, IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)>> sources = new(StringComparer.Ordinal);
    private readonly Channel<bool> changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource ended = new();
    private readonly Task gathering;
    private readonly Task publishing;

    public ReportHub(ActorReports own, Func<Publication, CancellationToken, Task> publish, TimeProvider time, ILogger logger)
    {
        this.own = own;
        this.publish = publish;
        this.time = time;
        this.logger = logger;
        gathering = GatherAsync();
        publishing = PublishAsync();
    }

    /// <summary>Takes all that one process says now.</summary>
    public void Take(string source, IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)> reports)
    {
        lock (gate)
        {
            if (reports.Count > 0)
                sources[source] = reports;
            else if (!sources.Remove(source))
                return;
        }

        changes.Writer.TryWrite(true);
    }

    /// <summary>Forgets a process that has ended.</summary>
    public void Forget(string source) => Take(source, []);

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await Task.WhenAll(gathering, publishing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        ended.Dispose();
    }

    private async Task GatherAsync()
    {
        var seen = 0L;
        while (true)
        {
            await own.WhenChangedAsync(seen, ended.Token).ConfigureAwait(false);
            seen = own.Version;
            Take(Own, own.Read());
            await Task.Delay(Pause, time, ended.Token).ConfigureAwait(false);
        }
    }

    private async Task PublishAsync()
    {
        var published = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var version = 0L;
        while (await changes.Reader.WaitToReadAsync(ended.Token).ConfigureAwait(false))
        {
            changes.Reader.TryRead(out _);
            foreach (var (topic, payload) in Merge(published.Keys))
            {
                if (published.TryGetValue(topic, out var last) && last.AsSpan().SequenceEqual(payload))
                    continue;
                published[topic] = payload;
                await PublishAsync(new Publication(topic, ++version, payload)).ConfigureAwait(false);
            }

            await Task.Delay(Pause, time, ended.Token).ConfigureAwait(false);
        }
    }

    private async Task PublishAsync(Publication publication)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, ended.Token);
        try
        {
            await publish(publication, either.Token).ConfigureAwait(false);
        }
        catch (Exception thrown) when (!ended.IsCancellationRequested)
        {
            // The others have it; the next publication says all of it again.
            LogNotPublished(logger, thrown, publication.Topic);
        }
    }

    private Dictionary<string, byte[]> Merge(IEnumerable<string> topics)
    {
        Dictionary<string, SortedDictionary<string, ReadOnlyMemory<byte>>> byTopic = new(StringComparer.Ordinal);
        foreach (var topic in topics)
            byTopic[topic] = new(StringComparer.Ordinal);
        lock (gate)
        {
            foreach (var (topic, actor, payload) in sources.Values.SelectMany(reports => reports))
            {
                if (!byTopic.TryGetValue(topic, out var actors))
                    byTopic[topic] = actors = new(StringComparer.Ordinal);
                actors[actor.Value] = payload;
            }
        }

        return byTopic.ToDictionary(entry => entry.Key, entry => Write(entry.Value), StringComparer.Ordinal);
    }

    private static byte[] Write(SortedDictionary<string, ReadOnlyMemory<byte>> actors)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            foreach (var (actor, payload) in actors)
            {
                json.WritePropertyName(actor);
                json.WriteRawValue(payload.Span);
            }

            json.WriteEndObject();
        }

        return text.ToArray();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "Not every process has taken what actors say under topic {Topic}; they are told again with the next change")]
    private static partial void LogNotPublished(ILogger logger, Exception thrown, string topic);
}
