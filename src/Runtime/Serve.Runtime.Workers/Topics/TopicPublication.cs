namespace Serve.Runtime.Workers.Topics;

/// <summary>Published value of a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Version">Increases with every publication of the topic.</param>
/// <param name="Payload">Opaque to the runtime.</param>
internal sealed record TopicPublication(string Topic, long Version, ReadOnlyMemory<byte> Payload);
