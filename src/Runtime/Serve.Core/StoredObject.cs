namespace Serve;

/// <summary>An object as bytes: in a message, in shared memory, or on disk. Made and freed by the runtime's object store.</summary>
internal abstract class StoredObject
{
    /// <summary>How many bytes it holds.</summary>
    internal abstract long Size { get; }

    /// <summary>Whether loading gives the same object again as long as anyone uses it, so that its ref need not hold it.</summary>
    internal virtual bool CachesLoadedValue => false;

    /// <summary>Told whose object it is.</summary>
    internal virtual void AttachTo(ObjectRef reference)
    {
    }

    /// <summary>Gives its bytes up; loading throws from now on.</summary>
    /// <param name="reason">Why, for the message: <c>it was freed</c>.</param>
    internal virtual void Free(string reason)
    {
    }

    /// <summary>The object itself.</summary>
    /// <exception cref="ObjectLostException">Its bytes are gone.</exception>
    internal abstract object? Load(Type type);
}
