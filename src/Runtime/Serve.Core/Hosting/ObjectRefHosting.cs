namespace Serve.Hosting;

/// <summary>
/// Members of references and clusters for the runtime that implements clusters, and for test doubles of clusters. Programs that only use a cluster
/// need none of them.
/// </summary>
#pragma warning disable CA1708 // False positive for several extension blocks in one class.
public static class ObjectRefHosting
{
    extension(ObjectRef reference)
    {
        /// <summary>Gets the error of the object, for dependents; null if there is none or it is not known yet.</summary>
        public Exception? Error => reference.Error;

        /// <summary>Gets the exception that readers of the object receive: the error, or the original exception of the task's own code.</summary>
        public Exception? Failure => reference.Failure;

        /// <summary>Gets or sets the object's serialized form; null where the runtime does not have it.</summary>
        public StoredObject? Stored
        {
            get => reference.Stored;
            set => reference.Stored = value;
        }

        /// <summary>Gets or sets the producer of the object; null if it is unknown here or has completed.</summary>
        public IObjectProducer? Producer
        {
            get => reference.Producer;
            set => reference.Producer = value;
        }

        /// <summary>Gets the object's type.</summary>
        public Type ValueType => reference.ValueType;

        /// <summary>Completes the reference with an error.</summary>
        /// <param name="failure">The error.</param>
        /// <returns>Whether this call completed it.</returns>
        public bool TrySetException(Exception failure) => reference.TrySetException(failure);

        /// <summary>Returns the object, which must be ready; throws its error.</summary>
        /// <returns>The object.</returns>
        public object? GetBoxedResult() => reference.GetBoxedResult();

        /// <summary>Waits for the object and returns it.</summary>
        /// <param name="cancellationToken">Cancels the wait.</param>
        /// <returns>The object.</returns>
        public Task<object?> GetBoxedAsync(CancellationToken cancellationToken) => reference.GetBoxedAsync(cancellationToken);

        /// <summary>Throws if the reference belongs to another cluster.</summary>
        /// <param name="cluster">The expected cluster.</param>
        /// <exception cref="ArgumentException">The reference belongs to another cluster.</exception>
        public void ThrowIfOfOtherCluster(Cluster cluster) => reference.ThrowIfOfOtherCluster(cluster);

        /// <summary>Frees the object; getting it throws from now on.</summary>
        public void Free() => reference.Free();

        /// <summary>Announces that a caller is about to wait for the object.</summary>
        /// <param name="fetch">False if only the object's readiness matters, not its value.</param>
        public void RequestObject(bool fetch) => reference.RequestObject(fetch);

        /// <summary>Lets the calling thread produce the object inline where that is fast and safe.</summary>
        public void TryProduceInline() => reference.TryProduceInline();

        /// <summary>Registers a continuation that runs when the object is ready.</summary>
        /// <param name="continuation">The continuation.</param>
        /// <returns>False if the object is already ready; nothing is registered then.</returns>
        public bool TryAddContinuation(ObjectRefContinuation continuation) => reference.TryAddContinuation(continuation);
    }

    extension(UserCodeException error)
    {
        /// <summary>Gets whether callers of tasks and actors receive the inner exception instead of this one.</summary>
        public bool IsOriginalThrown => error.Original is not null;
    }

    extension<T>(ObjectRef<T> reference)
    {
        /// <summary>Gets the object of a ready reference; throws its error.</summary>
        public T Result => reference.Result;

        /// <summary>Completes the reference with the object.</summary>
        /// <param name="result">The object.</param>
        /// <returns>Whether this call completed it.</returns>
        public bool TrySetResult(T result) => reference.TrySetResult(result);

        /// <summary>Completes the reference with bytes, which are deserialized when a reader asks for the object.</summary>
        /// <param name="bytes">The serialized object.</param>
        /// <returns>Whether this call completed it.</returns>
        public bool TrySetStored(StoredObject bytes) => reference.TrySetStored(bytes);
    }
}
#pragma warning restore CA1708
