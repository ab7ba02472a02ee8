using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>Queues of a cluster.</summary>
public static class ClusterQueueExtensions
{
    extension(Cluster cluster)
    {
        /// <summary>Creates a queue shared by tasks and actors.</summary>
        /// <typeparam name="T">Type of the items.</typeparam>
        /// <param name="maxSize">Maximum number of items; 0 for unlimited. Default: 0.</param>
        /// <param name="name">Name by which <see cref="ActorQueue{T}(string, int)"/> finds the queue; unique among running actors. Default: a generated name.</param>
        /// <returns>The queue.</returns>
        public ActorQueue<T> Queue<T>(int maxSize = 0, string? name = null)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(maxSize);
            name ??= $"queue-{Guid.NewGuid():N}";
            var construct = new QueueActorCall<T, SharedQueueActor<T>>(".ctor", (_, _) => new(new SharedQueueActor<T>(maxSize)), maxSize);

            // Any number of calls wait inside the actor; the calls that resume them must still be admitted.
            var options = new ActorOptions { Name = name, Isolation = Isolation.None, Concurrency = ConcurrencyMode.Parallel, MaxConcurrency = int.MaxValue, NumCpus = 0 };
            return new(name, maxSize, cluster.CreateActor(construct, new(), options));
        }
    }
}
