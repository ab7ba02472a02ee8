namespace Serve.Runtime.Parallel;

/// <summary>A queue for another process.</summary>
internal sealed record SerializedActorQueue<T>(string Name, int MaxSize, ActorHandle<SharedQueueActor<T>> Actor);
