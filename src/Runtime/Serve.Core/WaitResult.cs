namespace Serve;

/// <summary>What <see cref="Cluster.Wait{T}"/> found: which refs were ready, and which not, each in the order in which they were given.</summary>
/// <typeparam name="T">The objects' type.</typeparam>
/// <param name="Ready">Those that were ready; failed ones are among them.</param>
/// <param name="Pending">The others.</param>
public readonly record struct WaitResult<T>(IReadOnlyList<ObjectRef<T>> Ready, IReadOnlyList<ObjectRef<T>> Pending);
