using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Serve.Runtime.Workers.Transport;

/// <summary>
/// Metrics of the connections of this process, as instruments of the meter <c>Serve.Runtime</c> and as numbers for other exporters.
/// </summary>
public static class TransportMetrics
{
    private static readonly ConcurrentDictionary<OutboundFrameQueue, bool> Queues = new();
    private static Meter? _meter;
    private static long _heldBack;

    /// <summary>Gets the estimated bytes of frames that wait to be written, over all connections.</summary>
    public static long QueuedBytes => Queues.Keys.Sum(static queue => queue.QueuedBytes);

    /// <summary>Gets how often a producer had to wait because the queue of its connection was full.</summary>
    public static long ProducerWaits => Interlocked.Read(ref _heldBack);

    /// <summary>Creates the instruments; only the first call has an effect. Called by processes that host actors, and by the first wait in others: a meter takes too long to load for every start.</summary>
    internal static void CreateInstruments()
    {
        if (Volatile.Read(ref _meter) is not null)
            return;
        var meter = new Meter("Serve.Runtime");
        if (Interlocked.CompareExchange(ref _meter, meter, null) is not null)
        {
            meter.Dispose();
            return;
        }

        meter.CreateObservableGauge("transport_queued_bytes", static () => QueuedBytes, "By", "Frames that wait to be written to other processes.");
        meter.CreateObservableCounter("transport_producer_waits", static () => ProducerWaits, "{wait}", "Waits of producers for free capacity in the queue of a connection.");
    }

    internal static void Add(OutboundFrameQueue queue) => Queues[queue] = true;

    internal static void Remove(OutboundFrameQueue queue) => Queues.TryRemove(queue, out _);

    internal static void OnProducerHeldBack()
    {
        if (Interlocked.Increment(ref _heldBack) == 1)
            CreateInstruments();
    }
}
