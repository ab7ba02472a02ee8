namespace Serve.Runtime;

/// <summary>One value of a topic.</summary>
/// <param name="Topic">The topic.</param>
/// <param name="Source">The publisher, if a topic has several, for instance a node; empty otherwise. Versions of different sources are not compared.</param>
/// <param name="Version">Grows with every publication of the source.</param>
/// <param name="Payload">The value; not interpreted by the runtime.</param>
public sealed record TopicPublication(string Topic, string Source, SnapshotVersion Version, ReadOnlyMemory<byte> Payload);
