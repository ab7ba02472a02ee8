namespace Serve.Runtime.CoreActors;

/// <summary>What another process must know of an actor to have a handle to it.</summary>
/// <param name="Number">The actor's, unique in its cluster; also that of the ref that tells when it is made.</param>
/// <param name="Name">Its name; null when it has none.</param>
/// <param name="IsLimited">Whether it may refuse calls, so that a caller has to hear that one was taken.</param>
internal readonly record struct ActorHandleDescriptor(long Number, string? Name, bool IsLimited);
