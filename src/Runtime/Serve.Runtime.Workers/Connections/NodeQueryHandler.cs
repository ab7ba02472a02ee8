using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Serve.Runtime.Workers.Topics;

namespace Serve.Runtime.Workers.Connections;

/// <summary>A node's queries to its worker by name. Bodies are JSON; payloads travel as they are.</summary>
internal static class NodeQueryKinds
{
    public const string CreateActor = "CreateActor";
    public const string StopActor = "StopActor";
    public const string ReconfigureActor = "ReconfigureActor";
    public const string CheckActor = "CheckActor";
    public const string ActorNotices = "ActorNotices";
    public const string Publish = "Publish";
    public const string CollectMetrics = "CollectMetrics";

    /// <summary>Streams all reports of the worker's actors, each time one changes.</summary>
    public const string WatchReports = "WatchReports";

    public static byte[] Write<T>(T body) => JsonSerializer.SerializeToUtf8Bytes(body, ServeJson.Options);

    public static T Read<T>(ReadOnlyMemory<byte> body) => JsonSerializer.Deserialize<T>(body.Span, ServeJson.Options)!;

    /// <summary>Creates an actor; the payload is its activator's.</summary>
    internal sealed record CreateActorQuery(string ActorId, string Kind, ConcurrencyMode Concurrency, int MaxOngoing, IReadOnlyList<int> GpuIds);

    /// <summary>Stops an actor. Zero stops it now, also while an earlier query drains it.</summary>
    internal sealed record StopActorQuery(string ActorId, TimeSpan DrainTimeout);

    /// <summary>Gives an actor new settings, which are the payload.</summary>
    internal sealed record ReconfigureActorQuery(string ActorId, int MaxOngoing);

    /// <summary>Runs an actor's health check.</summary>
    internal sealed record CheckActorQuery(string ActorId, TimeSpan Timeout);

    /// <summary>Reads an actor's notices; answered with a list of texts as JSON.</summary>
    internal sealed record ActorNoticesQuery(string ActorId);

    /// <summary>Publishes the payload.</summary>
    internal sealed record PublishQuery(string Topic, string Source, SnapshotVersion Version);

    /// <summary>One actor's report; the payload is JSON.</summary>
    internal sealed record ReportEntry(string Topic, string ActorId, JsonElement Payload)
    {
        [JsonIgnore]
        public ReadOnlyMemory<byte> PayloadBytes => JsonSerializer.SerializeToUtf8Bytes(Payload);
    }
}

/// <summary>Collects the metrics of a process in Prometheus' text format. Registered by the program that hosts the actors.</summary>
public interface IProcessMetricsCollector
{
    /// <summary>Collects them.</summary>
    /// <param name="cancellationToken">Cancels the collection.</param>
    /// <returns>The text in UTF-8.</returns>
    Task<byte[]> CollectAsync(CancellationToken cancellationToken);
}

/// <summary>Answers the queries of a node in its worker. Holds no state.</summary>
internal sealed class NodeQueryHandler(
    ProcessActorHost host, TopicPublicationStore topics, ActorReportRegistry reports, TimeProvider time, IProcessMetricsCollector? metrics = null)
{
    private static readonly TimeSpan ReportInterval = TimeSpan.FromMilliseconds(20);

    public async Task<ReadOnlyMemory<byte>> AnswerAsync(string kind, ReadOnlyMemory<byte> body, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        switch (kind)
        {
            case NodeQueryKinds.CreateActor:
                await CreateAsync(NodeQueryKinds.Read<NodeQueryKinds.CreateActorQuery>(body), payload, cancellationToken).ConfigureAwait(false);
                return default;
            case NodeQueryKinds.StopActor:
                var stop = NodeQueryKinds.Read<NodeQueryKinds.StopActorQuery>(body);
                await host.StopAsync(new(stop.ActorId), stop.DrainTimeout, CancellationToken.None).ConfigureAwait(false);
                return default;
            case NodeQueryKinds.ReconfigureActor:
                var reconfigure = NodeQueryKinds.Read<NodeQueryKinds.ReconfigureActorQuery>(body);
                await host.ReconfigureAsync(new(reconfigure.ActorId), reconfigure.MaxOngoing, payload, cancellationToken).ConfigureAwait(false);
                return default;
            case NodeQueryKinds.CheckActor:
                var check = NodeQueryKinds.Read<NodeQueryKinds.CheckActorQuery>(body);
                await host.CheckHealthAsync(new(check.ActorId), check.Timeout, cancellationToken).ConfigureAwait(false);
                return default;
            case NodeQueryKinds.ActorNotices:
                return NodeQueryKinds.Write(host.NoticesOf(new(NodeQueryKinds.Read<NodeQueryKinds.ActorNoticesQuery>(body).ActorId)));
            case NodeQueryKinds.Publish:
                var publish = NodeQueryKinds.Read<NodeQueryKinds.PublishQuery>(body);
                await topics.PublishAsync(new(publish.Topic, publish.Source, publish.Version, payload), cancellationToken).ConfigureAwait(false);
                return default;
            case NodeQueryKinds.CollectMetrics:
                return metrics is null ? default : await metrics.CollectAsync(cancellationToken).ConfigureAwait(false);
            default:
                throw new NotSupportedException($"Unknown query '{kind}'.");
        }
    }

    /// <summary>Streams all reports of this process, each time one changes; many changes in a row are one message.</summary>
    public async IAsyncEnumerable<ReadOnlyMemory<byte>> WatchReportsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var seen = 0L;
        while (true)
        {
            await reports.WhenChangedAsync(seen, cancellationToken).ConfigureAwait(false);
            seen = reports.Version;
            yield return NodeQueryKinds.Write(reports.Read().Select(static report =>
                new NodeQueryKinds.ReportEntry(report.Topic, report.Actor.Value, JsonElement.Parse(report.Payload.Span))));
            await Task.Delay(ReportInterval, time, cancellationToken).ConfigureAwait(false);
        }
    }

    private Task<HostedActor> CreateAsync(NodeQueryKinds.CreateActorQuery query, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var spec = new ActorSpec
        {
            Id = new(query.ActorId),
            Kind = query.Kind,
            Payload = payload,
            Concurrency = query.Concurrency,
            MaxOngoing = query.MaxOngoing,
        };
        return host.CreateAsync(spec, query.GpuIds, cancellationToken);
    }
}
