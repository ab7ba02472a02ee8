namespace Serve.Runtime.Parallel;

/// <summary>Serialized form of a queue.</summary>
internal sealed record SerializedActorQueue<T>(string Name, int MaxSize, ActorHandle<SharedQueueActor<T>> Actor);
