namespace Serve.Runtime;

/// <summary>Receives the publications of one topic. A worker has applied the newest publication of every topic before it hosts its first actor.</summary>
public interface ITopicSubscriber
{
    /// <summary>The topic.</summary>
    string Topic { get; }

    /// <summary>Applies one publication. Its completion is the acknowledgement that the publisher waits for.</summary>
    /// <param name="version">Increases with every publication; an older publication may arrive late and must be ignored.</param>
    /// <param name="payload">Opaque to the runtime.</param>
    /// <param name="cancellationToken">Fires when the process stops.</param>
    ValueTask OnPublishedAsync(long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}
