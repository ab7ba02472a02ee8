using System.Collections.Immutable;
using Microsoft.Extensions.DependencyInjection;

namespace Serve.Runtime.Topics;

/// <summary>The newest value of each topic, handed to this process's subscribers. Written by <see cref="PublishAsync"/> alone, under its lock.</summary>
internal sealed class TopicBoard(IServiceProvider services)
{
    // Late, since subscribers may depend on the directory.
    private readonly Lazy<ILookup<string, ITopicSubscriber>> subscribers =
        new(() => services.GetServices<ITopicSubscriber>().ToLookup(subscriber => subscriber.Topic, StringComparer.Ordinal));

    private readonly Lock sync = new();
    private ImmutableDictionary<string, Publication> newest = ImmutableDictionary<string, Publication>.Empty;

    /// <summary>The newest value of every topic.</summary>
    public IEnumerable<Publication> Newest => Volatile.Read(ref newest).Values;

    /// <summary>Keeps the value and waits until this process's subscribers have it in force. One that is older than what is here is ignored.</summary>
    public async Task PublishAsync(Publication publication, CancellationToken cancellationToken)
    {
        if (!TryKeep(publication))
            return;
        foreach (var subscriber in subscribers.Value[publication.Topic])
            await subscriber.OnPublishedAsync(publication.Version, publication.Payload, cancellationToken);
    }

    private bool TryKeep(Publication publication)
    {
        lock (sync)
        {
            if (newest.TryGetValue(publication.Topic, out var kept) && kept.Version > publication.Version)
                return false;
            newest = newest.SetItem(publication.Topic, publication);
            return true;
        }
    }
}
