using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;

namespace Serve.Runtime.Workers.Topics;

/// <summary>Latest value of each topic, delivered to the subscribers of this process. Written by <see cref="PublishAsync"/>, under the lock.</summary>
internal sealed class TopicPublicationStore(IServiceProvider services)
{
    // Resolved late, since subscribers may depend on the actor directory.
    private readonly Lazy<ILookup<string, ITopicSubscriber>> _subscribers =
        new(() => services.GetServices<ITopicSubscriber>().ToLookup(subscriber => subscriber.Topic, StringComparer.Ordinal));

    private readonly Lock _sync = new();
    private ImmutableDictionary<string, TopicPublication> _newest = ImmutableDictionary<string, TopicPublication>.Empty;

    /// <summary>Latest value of every topic.</summary>
    public IEnumerable<TopicPublication> Latest => Volatile.Read(ref _newest).Values;

    /// <summary>Stores the value and waits until the subscribers of this process have applied it. Older values are ignored.</summary>
    public async Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        if (!TryStore(publication))
            return;
        foreach (var subscriber in _subscribers.Value[publication.Topic])
            await subscriber.OnPublishedAsync(publication.Version, publication.Payload, cancellationToken);
    }

    private bool TryStore(TopicPublication publication)
    {
        lock (_sync)
        {
            if (_newest.TryGetValue(publication.Topic, out var kept) && kept.Version > publication.Version)
                return false;
            _newest = _newest.SetItem(publication.Topic, publication);
            return true;
        }
    }
}
