using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;

namespace Serve.Runtime.Workers.Topics;

/// <summary>The newest publication of each topic and source, delivered to this process's subscribers. Written by <see cref="PublishAsync"/> alone, under its lock.</summary>
internal sealed class TopicPublicationStore(IServiceProvider services)
{
    // Lazy, since subscribers may depend on the actor references of this process.
    private readonly Lazy<ILookup<string, ITopicSubscriber>> _subscribers =
        new(() => services.GetServices<ITopicSubscriber>().ToLookup(subscriber => subscriber.Topic, StringComparer.Ordinal));

    private readonly Lock _sync = new();
    private ImmutableDictionary<(string Topic, string Source), TopicPublication> _newest = ImmutableDictionary<(string Topic, string Source), TopicPublication>.Empty;

    /// <summary>The newest publication of every topic and source.</summary>
    public IEnumerable<TopicPublication> Latest => Volatile.Read(ref _newest).Values;

    /// <summary>Stores a publication and waits until this process's subscribers have applied it. Ignores one that is older than the stored one.</summary>
    public async Task PublishAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        if (!TryStore(publication))
            return;
        foreach (var subscriber in _subscribers.Value[publication.Topic])
            await subscriber.OnPublishedAsync(publication, cancellationToken);
    }

    private bool TryStore(TopicPublication publication)
    {
        lock (_sync)
        {
            if (_newest.TryGetValue((publication.Topic, publication.Source), out var kept) && kept.Version > publication.Version)
                return false;
            _newest = _newest.SetItem((publication.Topic, publication.Source), publication);
            return true;
        }
    }
}
