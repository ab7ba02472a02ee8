namespace Serve.Runtime;

/// <summary>Takes what the node publishes under one topic. A worker has seen the newest of every topic before it holds its first actor.</summary>
public interface ITopicSubscriber
{
    /// <summary>The topic.</summary>
    string Topic { get; }

    /// <summary>Takes one publication. Its completion is the acknowledgement the publisher waits for.</summary>
    /// <param name="version">Grows with every publication; an older one may arrive late and is to be ignored.</param>
    /// <param name="payload">Opaque to the runtime.</param>
    /// <param name="cancellationToken">Fires when the process stops.</param>
    /// <returns>Completes when the publication is in force.</returns>
    ValueTask OnPublishedAsync(long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken);
}
