using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Hosting;
using Prometheus;
using Serve.Runtime.Topics;
using Serve.Runtime.Wire;

namespace Serve.Runtime.Rpc;

/// <summary>Takes a node's orders in a worker. Holds no state.</summary>
internal sealed class ControlService(ProcessActorHost host, TopicPublicationStore board, ActorReportRegistry reports, TimeProvider time, IHostApplicationLifetime lifetime) : Control.ControlBase
{
    private static readonly Empty Nothing = new();
    private static readonly TimeSpan ReportPause = TimeSpan.FromMilliseconds(20);

    public override Task<Outcome> CreateActor(CreateActorRequest request, ServerCallContext context) => RunAsync(async () =>
    {
        var spec = new ActorSpec
        {
            Id = new(request.ActorId),
            Kind = request.Kind,
            Payload = request.Payload.Memory,
            Concurrency = request.Parallel ? ConcurrencyMode.Parallel : ConcurrencyMode.TurnBased,
            MaxOngoing = request.MaxOngoing,
        };
        await host.CreateAsync(spec, [.. request.GpuIds], context.CancellationToken);
    });

    public override Task<Outcome> StopActor(StopActorRequest request, ServerCallContext context) =>
        RunAsync(() => host.StopAsync(new(request.ActorId), TimeSpan.FromMilliseconds(request.DrainMs), CancellationToken.None));

    public override Task<Outcome> ReconfigureActor(ReconfigureActorRequest request, ServerCallContext context) =>
        RunAsync(() => host.ReconfigureAsync(new(request.ActorId), request.MaxOngoing, request.Payload.Memory, context.CancellationToken));

    public override Task<Outcome> CheckHealth(CheckHealthRequest request, ServerCallContext context) =>
        RunAsync(() => host.CheckHealthAsync(new(request.ActorId), context.CancellationToken));

    public override Task<Outcome> Publish(PublishRequest request, ServerCallContext context) =>
        RunAsync(() => board.PublishAsync(new(request.Topic, request.Source, new(request.Epoch, request.Version), request.Payload.Memory), context.CancellationToken));

    public override async Task<MetricsReply> CollectMetrics(Empty request, ServerCallContext context)
    {
        using var text = new MemoryStream();
        await Metrics.DefaultRegistry.CollectAndExportAsTextAsync(text, context.CancellationToken);
        return new MetricsReply { Text = System.Text.Encoding.UTF8.GetString(text.GetBuffer(), 0, (int)text.Length) };
    }

    public override async Task WatchReports(Empty request, IServerStreamWriter<ReportsReply> responseStream, ServerCallContext context)
    {
        // The server waits for its calls when it stops, and this one has no end of its own.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopping);
        var seen = 0L;
        while (true)
        {
            await reports.WhenChangedAsync(seen, ending.Token);
            seen = reports.Version;
            var reply = new ReportsReply();
            foreach (var (topic, actor, payload) in reports.Read())
                reply.Reports.Add(new ReportEntry { Topic = topic, ActorId = actor.Value, Payload = UnsafeByteOperations.UnsafeWrap(payload) });
            await responseStream.WriteAsync(reply, ending.Token);

            // Many changes in a row are one message.
            await Task.Delay(ReportPause, time, ending.Token);
        }
    }

    public override Task<Empty> Ping(Empty request, ServerCallContext context) => Task.FromResult(Nothing);

    private static async Task<Outcome> RunAsync(Func<Task> order)
    {
        try
        {
            await order();
            return new Outcome();
        }
        catch (ActorCreationException thrown)
        {
            return new Outcome { Error = new() { Message = thrown.Message, Stack = thrown.Details ?? "" } };
        }
        catch (Exception thrown)
        {
            return new Outcome { Error = CallErrorConverter.ToWire(thrown) };
        }
    }
}
