
namespace Serve.Runtime.TestWorker;

/// <summary>Stores the latest value of the topic "test" after a delay, when it takes effect.</summary>
public sealed class TestTopicSubscriber : ITopicSubscriber
{
    public string Topic => "test";

    public string? Newest { get; private set; }

    public async ValueTask OnPublishedAsync(TopicPublication publication, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        Newest = $"{publication.Version.Number}:{System.Text.Encoding.UTF8.GetString(publication.Payload.Span)}";
    }
}
