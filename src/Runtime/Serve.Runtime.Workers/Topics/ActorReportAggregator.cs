using System.Text.Json;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace Serve.Runtime.Workers.Topics;

/// <summary>
/// Collects the reports of the actors in all processes of a node and publishes them: immediately after a quiet time, otherwise at most once per
/// <see cref="Pause"/>, so that many changes are one publication. Writes the latest reports of each process.
/// </summary>
internal sealed partial class ActorReportAggregator : IAsyncDisposable
{
    /// <summary>Source name of the node's own process.</summary>
    private const string Own = "";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly ActorReportRegistry _own;
    private readonly string _node;
    private readonly Func<TopicPublication, CancellationToken, Task> _publish;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<string, IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)>> _sources = new(StringComparer.Ordinal);
    private readonly Channel<bool> _changes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _gathering;
    private readonly Task _publishing;

    public ActorReportAggregator(ActorReportRegistry own, string node, Func<TopicPublication, CancellationToken, Task> publish, TimeProvider time, ILogger logger)
    {
        _own = own;
        _node = node;
        _publish = publish;
        _time = time;
        _logger = logger;
        _gathering = CollectLocalReportsAsync();
        _publishing = PublishAsync();
    }

    /// <summary>Replaces the reports of one process.</summary>
    public void UpdateSource(string source, IReadOnlyList<(string Topic, ActorId Actor, ReadOnlyMemory<byte> Payload)> reports)
    {
        lock (_gate)
        {
            if (reports.Count > 0)
                _sources[source] = reports;
            else if (!_sources.Remove(source))
                return;
        }

        _changes.Writer.TryWrite(true);
    }

    /// <summary>Removes a process that has exited.</summary>
    public void RemoveSource(string source) => UpdateSource(source, []);

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        await Task.WhenAll(_gathering, _publishing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _ended.Dispose();
    }

    private async Task CollectLocalReportsAsync()
    {
        var seen = 0L;
        while (true)
        {
            await _own.WhenChangedAsync(seen, _ended.Token).ConfigureAwait(false);
            seen = _own.Version;
            UpdateSource(Own, _own.Read());
            await Task.Delay(Pause, _time, _ended.Token).ConfigureAwait(false);
        }
    }

    private async Task PublishAsync()
    {
        var published = new Dictionary<string, byte[]>(StringComparer.Ordinal);

        // A restarted node must not be ignored because it counts from 1 again.
        var version = new SnapshotVersion(_time.GetUtcNow().ToUnixTimeMilliseconds(), 0);
        while (await _changes.Reader.WaitToReadAsync(_ended.Token).ConfigureAwait(false))
        {
            _changes.Reader.TryRead(out _);
            foreach (var (topic, payload) in Merge(published.Keys))
            {
                if (published.TryGetValue(topic, out var last) && last.AsSpan().SequenceEqual(payload))
                    continue;
                published[topic] = payload;
                version = version with { Number = version.Number + 1 };
                await PublishAsync(new TopicPublication(topic, _node, version, payload)).ConfigureAwait(false);
            }

            await Task.Delay(Pause, _time, _ended.Token).ConfigureAwait(false);
        }
    }

    private async Task PublishAsync(TopicPublication publication)
    {
        using var patience = new CancellationTokenSource(Patience, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, _ended.Token);
        try
        {
            await _publish(publication, either.Token).ConfigureAwait(false);
        }
        catch (Exception thrown) when (!_ended.IsCancellationRequested)
        {
            // The other processes have received it; the next publication contains all of it again.
            LogNotPublished(_logger, thrown, publication.Topic);
        }
    }

    private Dictionary<string, byte[]> Merge(IEnumerable<string> topics)
    {
        Dictionary<string, SortedDictionary<string, ReadOnlyMemory<byte>>> byTopic = new(StringComparer.Ordinal);
        foreach (var topic in topics)
            byTopic[topic] = new(StringComparer.Ordinal);
        lock (_gate)
        {
            foreach (var (topic, actor, payload) in _sources.Values.SelectMany(reports => reports))
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

    [LoggerMessage(EventId = 2004, Level = LogLevel.Warning, Message = "Actor reports of topic {Topic} were not acknowledged by all processes; they are published again with the next change")]
    private static partial void LogNotPublished(ILogger logger, Exception thrown, string topic);
}
