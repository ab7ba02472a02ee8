namespace Serve.Hosting;

/// <summary>The serialized form of an object: bytes in a message, in shared memory or on disk. Created and freed by the runtime's object store.</summary>
public abstract class StoredObject
{
    /// <summary>Gets the number of bytes.</summary>
    public abstract long Size { get; }

    /// <summary>Gets whether <see cref="Load"/> returns the same instance for as long as it is in use, so that the reference need not keep it.</summary>
    public virtual bool CachesLoadedValue => false;

    /// <summary>Called when a reference takes ownership of these bytes.</summary>
    /// <param name="reference">The reference.</param>
    public virtual void AttachTo(ObjectRef reference)
    {
    }

    /// <summary>Releases the bytes; loading throws from now on.</summary>
    /// <param name="reason">The reason in the error message, for instance <c>it was freed</c>.</param>
    public virtual void Free(string reason)
    {
    }

    /// <summary>Deserializes the object.</summary>
    /// <param name="type">The object's type.</param>
    /// <returns>The object.</returns>
    /// <exception cref="ObjectLostException">The bytes have been released.</exception>
    public abstract object? Load(Type type);
}
