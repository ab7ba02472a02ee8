namespace Serve.Runtime.Tasks;

/// <summary>
/// Division of a stream's MaxBufferedItems between the processes on its way, so that the code of the stream is never ahead of its reader by more than that.
/// </summary>
/// <param name="Buffer">Unread items that the driver keeps before the producer waits; with 0, the producer continues when the reader asks for the next item.</param>
/// <param name="Window">Items that a worker may send before the driver has accepted them.</param>
public readonly record struct StreamBufferSizes(int Buffer, int Window)
{
    private const int DefaultBuffer = 16;
    private const int MaxWindow = 4;

    /// <summary>Sizes for code in a worker that the driver reads: an accepted item is in the buffer, and an item in the window is not.</summary>
    public static StreamBufferSizes ForProducerInWorker(int? maxBufferedItems)
    {
        var window = WindowOf(maxBufferedItems);
        return new(Math.Max(0, CapacityOf(maxBufferedItems) - window + 1), window);
    }

    /// <summary>Sizes for a reader in a worker: it keeps as many items as are on their way to it, less one, in addition to the driver's buffer.</summary>
    public static StreamBufferSizes ForReaderInWorker(int? maxBufferedItems)
    {
        var window = WindowOf(maxBufferedItems);
        return new(Math.Max(0, CapacityOf(maxBufferedItems) - (2 * window) + 1), window);
    }

    /// <summary>Number of unread items before the producer waits.</summary>
    public static int CapacityOf(int? maxBufferedItems) => Math.Max(0, maxBufferedItems ?? DefaultBuffer);

    private static int WindowOf(int? maxBufferedItems) => Math.Clamp(CapacityOf(maxBufferedItems) / 4, 1, MaxWindow);
}
