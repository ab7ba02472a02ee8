namespace Serve.Runtime;

/// <summary>Receives the publications of one topic. A worker has received the newest publication of every topic before it hosts its first actor.</summary>
public interface ITopicSubscriber
{
    /// <summary>The topic.</summary>
    string Topic { get; }

    /// <summary>Applies one publication. Its completion is the acknowledgement that the publisher waits for.</summary>
    /// <param name="publication">The publication. One with a lower version than an earlier one of its source may arrive late and must be ignored.</param>
    /// <param name="cancellationToken">Canceled when the process stops.</param>
    ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken);
}
