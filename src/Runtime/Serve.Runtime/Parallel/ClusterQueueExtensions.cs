using Serve.Runtime.Parallel;

namespace Serve;

/// <summary>Queues of a cluster.</summary>
public static class ClusterQueueExtensions
{
    extension(Cluster cluster)
    {
        /// <summary>Makes a queue that tasks and actors share.</summary>
        /// <typeparam name="T">The items' type.</typeparam>
        /// <param name="maxSize">How many items it holds at most; 0 for no limit. Default 0.</param>
        /// <param name="name">A name by which <see cref="ActorQueue{T}(string, int)"/> finds it; unique among the living. Default: one of its own.</param>
        /// <returns>The queue.</returns>
        public ActorQueue<T> Queue<T>(int maxSize = 0, string? name = null)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(maxSize);
            name ??= $"queue-{Guid.NewGuid():N}";
            var construct = new QueueActorCall<T, SharedQueueActor<T>>(".ctor", (_, _) => new(new SharedQueueActor<T>(maxSize)), maxSize);

            // Calls wait inside it, any number of them: whoever lets them go on must still get in.
            var options = new ActorOptions { Name = name, Isolation = Isolation.None, Concurrency = ConcurrencyMode.Parallel, MaxConcurrency = int.MaxValue, NumCpus = 0 };
            return new(name, maxSize, cluster.CreateActor(construct, new(), options));
        }
    }
}
