namespace Serve.Runtime.TestWorker;

/// <summary>Remembers the newest value of the topic "test", once it is in force: a while after it came.</summary>
public sealed class TestTopicSubscriber : ITopicSubscriber
{
    public string Topic => "test";

    public string? Newest { get; private set; }

    public async ValueTask OnPublishedAsync(long version, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        Newest = $"{version}:{System.Text.Encoding.UTF8.GetString(payload.Span)}";
    }
}
