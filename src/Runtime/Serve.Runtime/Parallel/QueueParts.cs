namespace Serve.Runtime.Parallel;

/// <summary>A queue for another process.</summary>
internal sealed record QueueParts<T>(string Name, int MaxSize, ActorHandle<QueueActor<T>> Actor);
