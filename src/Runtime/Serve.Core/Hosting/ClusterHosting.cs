using System.Buffers;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace Serve.Hosting;

/// <summary>Members of clusters and serializers for the runtime that implements clusters, and for clusters that decorate another one.</summary>
#pragma warning disable CA1708 // False positive for several extension blocks in one class.
public static class ClusterHosting
{
    extension(Cluster cluster)
    {
        /// <summary>Returns whether a task with this isolation runs outside this process.</summary>
        /// <param name="isolation">The task's isolation.</param>
        /// <returns>Whether the task runs in another process.</returns>
        public bool RunsInWorkers(Isolation isolation) => cluster.RunsInWorkers(isolation);

        /// <summary>Waits for objects of any types.</summary>
        /// <param name="references">The references.</param>
        /// <param name="timeout">Maximum wait for all objects; null waits indefinitely.</param>
        /// <param name="cancellationToken">Cancels the wait.</param>
        /// <returns>A task that completes when all objects are ready, and fails as soon as one of them has failed.</returns>
        public Task WaitForAll(ObjectRef[] references, TimeSpan? timeout, CancellationToken cancellationToken) => cluster.WaitForAll(references, timeout, cancellationToken);

        /// <summary>Returns a reference to one item of a tuple.</summary>
        /// <typeparam name="TTuple">The tuple's type.</typeparam>
        /// <typeparam name="TItem">The item's type.</typeparam>
        /// <param name="tuple">A reference to the tuple.</param>
        /// <param name="index">The item's index.</param>
        /// <returns>A reference to the item.</returns>
        public ObjectRef<TItem> CreateItemRef<TTuple, TItem>(ObjectRef<TTuple> tuple, int index)
            where TTuple : struct, ITuple => cluster.CreateItemRef<TTuple, TItem>(tuple, index);

        /// <summary>Runs the continuation of an <c>await</c> when an object is ready.</summary>
        /// <param name="reference">The awaited reference.</param>
        /// <param name="continuation">The continuation.</param>
        /// <param name="state">The continuation's argument.</param>
        /// <param name="flags">Whether to resume on the captured context.</param>
        public void AddAwaitContinuation(ObjectRef reference, Action<object?> continuation, object? state, ValueTaskSourceOnCompletedFlags flags) =>
            cluster.AddAwaitContinuation(reference, continuation, state, flags);

        /// <summary>Blocks the calling thread until an object is ready.</summary>
        /// <typeparam name="T">The object's type.</typeparam>
        /// <param name="reference">The reference.</param>
        /// <param name="timeout">Maximum wait; null waits indefinitely.</param>
        /// <returns>The object.</returns>
        public T GetBlocking<T>(ObjectRef<T> reference, TimeSpan? timeout) => cluster.GetBlocking(reference, timeout);

        /// <summary>Throws if the cluster has been disposed.</summary>
        /// <exception cref="ObjectDisposedException">The cluster has been disposed.</exception>
        public void ThrowIfDisposed() => cluster.ThrowIfDisposed();

        /// <summary>Creates the exception of a disposed cluster.</summary>
        /// <param name="message">The message.</param>
        /// <returns>The exception.</returns>
        public static ObjectDisposedException CreateDisposedException(string message = "The cluster was disposed.") => Cluster.CreateDisposedException(message);
    }

    extension(ValueSerializer serializer)
    {
        /// <summary>Serializes a value of the serializer's type.</summary>
        /// <param name="value">The value.</param>
        /// <param name="output">The output.</param>
        public void Write(object value, IBufferWriter<byte> output) => serializer.Write(value, output);

        /// <summary>Deserializes a value of the serializer's type.</summary>
        /// <param name="bytes">The serialized value.</param>
        /// <returns>The value.</returns>
        public object? Read(ReadOnlySpan<byte> bytes) => serializer.Read(bytes);
    }
}
#pragma warning restore CA1708
